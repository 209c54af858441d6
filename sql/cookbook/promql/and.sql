-- Elements of the left side whose labels the right side has too.
-- covers: and
-- query: cpu and cpu_limit
SELECT host, region, value FROM cpu_now
 WHERE (host, region) IN (SELECT host, region FROM cpu_limit_now)
 ORDER BY host;
