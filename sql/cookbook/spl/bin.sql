-- Times go into buckets by time_bucket, numbers by rounding down to a multiple.
-- covers: bin; bucket
-- query: bin _time span=30m | bin bytes span=4096 | stats count BY _time, bytes
SELECT ts_text(time_bucket('30m', ts)) AS time, bytes / 4096 * 4096 AS bytes, count(*) AS count
  FROM access_log
 GROUP BY 1, 2
 ORDER BY 1, 2;
