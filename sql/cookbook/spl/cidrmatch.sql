-- Is the address in the subnet; NULL for what is no address.
-- covers: cidrmatch(); search: CIDR
-- query: where cidrmatch("10.0.0.0/29", client) | stats count BY client
SELECT client, count(*) AS count FROM access_log WHERE ip_in_subnet(client, '10.0.0.0/29') GROUP BY client ORDER BY client;
