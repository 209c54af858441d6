-- A table of networks, joined by the address; the smallest network that holds it has the most bits.
-- covers: iplocation
-- query: iplocation client | stats count BY Country, City
SELECT country, city, count(*) AS count
  FROM access_log LEFT JOIN networks ON ip_in_subnet(client, network)
 GROUP BY country, city
 ORDER BY count DESC, country;
