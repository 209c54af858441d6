-- Elements of the left side whose labels the right side does not have.
-- covers: unless
-- query: cpu unless cpu_limit
SELECT host, region, value FROM cpu_now
 WHERE (host, region) NOT IN (SELECT host, region FROM cpu_limit_now);
