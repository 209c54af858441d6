-- A LEFT JOIN from the right side, and the value for a partner that is missing.
-- covers: fill_left
-- query: cpu - fill_left(0) cpu_limit
SELECT b.host, b.region, coalesce(a.value, 0) - b.value AS value
  FROM cpu_limit_now AS b LEFT JOIN cpu_now AS a USING (host, region)
 ORDER BY b.host;
