-- Of the population; stddev_samp is the sample's (the reference does not say which one it takes).
-- covers: stddev()
-- query: stats stddev(duration)
SELECT stddev_pop(duration_ms) AS stddev FROM access_log;
