-- The root of the mean square of the distances from the mean (of the population; the reference does not say which one it takes).
-- covers: stddev()
-- query: stats stddev(duration)
SELECT sqrt(avg(pow(duration_ms - mean, 2))) AS stddev FROM access_log, (SELECT avg(duration_ms) AS mean FROM access_log);
