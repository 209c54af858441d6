-- Ten ranges of equal width between the smallest and the largest value; the largest belongs to the last one.
-- covers: histogram()
-- query: stats histogram(duration, 10)
SELECT min(CAST((duration_ms - low) * 10 / (high - low) AS INTEGER), 9) AS bucket, count(*) AS count
  FROM access_log, (SELECT min(duration_ms) AS low, max(duration_ms) AS high FROM access_log)
 GROUP BY bucket
 ORDER BY bucket;
