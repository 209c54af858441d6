-- auto_bucket chooses the width that gives no more than so many buckets.
-- covers: bin bins=
-- query: bin _time bins=4 | stats count BY _time
SELECT ts_text(time_bucket(width, ts)) AS time, count(*) AS count
  FROM access_log, (SELECT auto_bucket(min(ts), max(ts), 4) AS width FROM access_log)
 GROUP BY 1
 ORDER BY 1;
