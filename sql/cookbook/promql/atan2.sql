-- The function of the same name, over a join.
-- covers: atan2
-- query: cpu atan2 cpu_limit
SELECT host, region, atan2(a.value, b.value) AS value
  FROM cpu_now AS a JOIN cpu_limit_now AS b USING (host, region)
 ORDER BY host;
