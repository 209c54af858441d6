-- All label sets of both sides, each side's value where it has one.
-- covers: fill
-- query: cpu - fill(0) cpu_limit
WITH labels AS (SELECT host, region FROM cpu_now UNION SELECT host, region FROM cpu_limit_now)
SELECT host, region, coalesce(a.value, 0) - coalesce(b.value, 0) AS value
  FROM labels LEFT JOIN cpu_now AS a USING (host, region) LEFT JOIN cpu_limit_now AS b USING (host, region)
 ORDER BY host;
