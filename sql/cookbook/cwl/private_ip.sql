-- The private networks of RFC 1918 and RFC 4193, and the reserved ones of the registries, as lists; public is what is in neither.
-- covers: isPrivateIP(); isPublicIP(); isReservedIP()
-- query: fields client, isPrivateIP(client), isReservedIP(client), isPublicIP(client) | dedup client
WITH networks(kind, network) AS (
  VALUES ('private', '10.0.0.0/8'), ('private', '172.16.0.0/12'), ('private', '192.168.0.0/16'), ('private', 'fc00::/7'),
         ('reserved', '127.0.0.0/8'), ('reserved', '169.254.0.0/16'), ('reserved', '203.0.113.0/24'), ('reserved', '240.0.0.0/4'),
         ('reserved', '2001:db8::/32')),
     clients AS (SELECT DISTINCT client FROM access_log UNION SELECT '8.8.8.8')
SELECT client, total(kind = 'private') > 0 AS private, total(kind = 'reserved') > 0 AS reserved, kind IS NULL AS public
  FROM clients LEFT JOIN networks ON ip_in_subnet(client, network)
 GROUP BY client
 ORDER BY client;
