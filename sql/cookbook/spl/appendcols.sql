-- Rows are put side by side by their number; a join by a key is nearly always what is meant.
-- covers: appendcols
-- query: stats count BY host | appendcols [search status>=400 | stats count AS errors BY host]
WITH a AS (SELECT row_number() OVER (ORDER BY host) AS n, host, count(*) AS count FROM access_log GROUP BY host),
     b AS (SELECT row_number() OVER (ORDER BY host) AS n, count(*) AS errors FROM access_log WHERE status >= 400 GROUP BY host)
SELECT host, count, errors FROM a LEFT JOIN b USING (n) ORDER BY n;
