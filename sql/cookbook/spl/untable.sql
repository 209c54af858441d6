-- Columns become rows of (key, field, value).
-- covers: untable
-- query: chart count AS events, sum(bytes) AS bytes OVER host | untable host field value
WITH t AS (SELECT host, count(*) AS events, sum(bytes) AS bytes FROM access_log GROUP BY host)
SELECT host, 'events' AS field, events AS value FROM t
UNION ALL
SELECT host, 'bytes', bytes FROM t
 ORDER BY host, field;
