-- Each column becomes a row, each row a column named by its key.
-- covers: transpose
-- query: stats count, sum(bytes) AS bytes BY host | transpose header_field=host
WITH t AS (SELECT host, count(*) AS count, sum(bytes) AS bytes FROM access_log GROUP BY host)
SELECT 'count' AS "column", max(count) FILTER (WHERE host = 'web1') AS web1, max(count) FILTER (WHERE host = 'web2') AS web2 FROM t
UNION ALL
SELECT 'bytes', max(bytes) FILTER (WHERE host = 'web1'), max(bytes) FILTER (WHERE host = 'web2') FROM t;
