-- A LEFT JOIN, and the value for a partner that is missing.
-- covers: fill_right
-- query: cpu - fill_right(0) cpu_limit
SELECT a.host, a.region, a.value - coalesce(b.value, 0) AS value
  FROM cpu_now AS a LEFT JOIN cpu_limit_now AS b USING (host, region)
 ORDER BY a.host;
