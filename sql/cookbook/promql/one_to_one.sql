-- Vectors are joined on all their labels; what has no partner is left out.
-- covers: vector to vector, one to one
-- query: cpu / cpu_limit
SELECT a.host, a.region, a.value / b.value AS value
  FROM cpu_now AS a JOIN cpu_limit_now AS b USING (host, region)
 ORDER BY a.host;
