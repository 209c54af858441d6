-- width_bucket numbers ten ranges of equal width between the smallest and the largest value, which belongs to the last one.
-- covers: histogram()
-- query: stats histogram(duration, 10)
SELECT min(width_bucket(duration_ms, low, high, 10), 10) AS bucket, count(*) AS count
  FROM access_log, (SELECT min(duration_ms) AS low, max(duration_ms) AS high FROM access_log)
 GROUP BY bucket
 ORDER BY bucket;
