-- All of the left side, and of the right side what has no partner there.
-- covers: or
-- query: cpu or cpu_limit
SELECT host, region, value FROM cpu_now
UNION ALL
SELECT host, region, value FROM cpu_limit_now WHERE (host, region) NOT IN (SELECT host, region FROM cpu_now)
 ORDER BY host;
