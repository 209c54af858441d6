-- One function for both versions.
-- covers: isIpInSubnet(); isIpv4InSubnet(); isIpv6InSubnet()
-- query: filter isIpv4InSubnet(client, "10.0.0.0/8") or isIpv6InSubnet(client, "2001:db8::/32") | stats count(*) by client
SELECT client, count(*) AS count FROM access_log
 WHERE ip_in_subnet(client, '10.0.0.0/8') OR ip_in_subnet(client, '2001:db8::/32')
 GROUP BY client
 ORDER BY client;
