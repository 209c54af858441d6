-- Aggregates and GROUP BY; an eval inside an aggregate is the expression itself, or FILTER.
-- covers: stats
-- query: stats count, count(eval(status>=400)) AS errors, sum(bytes) AS bytes BY host
SELECT host, count(*) AS count, count(*) FILTER (WHERE status >= 400) AS errors, sum(bytes) AS bytes
  FROM access_log
 GROUP BY host
 ORDER BY host;
