-- A join and a condition over both sides; the left value stays.
-- covers: comparison of vectors
-- query: cpu > cpu_limit
SELECT a.host, a.region, a.value
  FROM cpu_now AS a JOIN cpu_limit_now AS b USING (host, region)
 WHERE a.value > b.value;
