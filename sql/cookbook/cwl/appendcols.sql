-- Rows are numbered on both sides and joined by the number.
-- covers: appendcols
-- query: stats count(*) as n by host | appendcols ( SOURCE app_log | stats count(*) as lines by @logStream )
WITH a AS (SELECT row_number() OVER (ORDER BY host) AS place, host, count(*) AS n FROM access_log GROUP BY host),
     b AS (SELECT row_number() OVER (ORDER BY stream) AS place, count(*) AS lines FROM app_log GROUP BY stream)
SELECT host, n, lines FROM a LEFT JOIN b USING (place) ORDER BY place;
