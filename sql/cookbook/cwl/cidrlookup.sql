-- A join whose condition is that the address lies in the network.
-- covers: cidrlookup
-- query: cidrlookup networks client OUTPUT city | stats count(*) by city
SELECT city, count(*) AS count FROM access_log LEFT JOIN networks ON ip_in_subnet(client, network) GROUP BY city ORDER BY count DESC, city;
