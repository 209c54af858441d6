-- OVER is the GROUP BY; each value of BY is a column of its own, by FILTER.
-- covers: chart; xyseries
-- query: chart avg(duration) OVER host BY method
SELECT host, avg(duration_ms) FILTER (WHERE method = 'GET') AS "GET", avg(duration_ms) FILTER (WHERE method = 'POST') AS "POST"
  FROM access_log
 GROUP BY host
 ORDER BY host;
