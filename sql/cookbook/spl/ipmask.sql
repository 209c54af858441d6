-- The four numbers of both as JSON arrays, and & of those in the same place.
-- covers: ipmask()
-- query: eval network=ipmask("255.255.0.0", client) | stats count BY network
WITH masked AS (
  SELECT client, (SELECT group_concat(ip.value & mask.value, '.')
                    FROM json_each('[' || replace(client, '.', ',') || ']') AS ip
                         JOIN json_each('[255, 255, 0, 0]') AS mask USING (key)) AS network
    FROM access_log WHERE client GLOB '*.*.*.*')
SELECT network, count(*) AS count FROM masked GROUP BY network ORDER BY network;
