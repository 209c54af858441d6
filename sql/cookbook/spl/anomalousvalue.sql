-- A value is irregular when it is further from the mean than so many standard deviations.
-- covers: anomalousvalue
-- query: anomalousvalue action=filter pthresh=0.02 duration
SELECT path, duration_ms, round((duration_ms - mean) / deviation, 2) AS z
  FROM (SELECT path, duration_ms, avg(duration_ms) OVER () AS mean, stddev_pop(duration_ms) OVER () AS deviation FROM access_log)
 WHERE abs(duration_ms - mean) > 2 * deviation
 ORDER BY z DESC;
