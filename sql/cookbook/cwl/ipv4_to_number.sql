-- The four numbers as a JSON array, each 256 times the next.
-- covers: ipv4ToNumber()
-- query: fields client, ipv4ToNumber(client) as number | dedup client
SELECT client, (SELECT sum(value << 8 * (3 - key)) FROM json_each('[' || replace(client, '.', ',') || ']')) AS number
  FROM (SELECT DISTINCT client FROM access_log WHERE client GLOB '*.*.*.*')
 ORDER BY client;
