-- The share of observations between 0 and 0.3: of each bucket as much of its count as of its width lies inside.
-- covers: histogram_fraction()
-- query: histogram_fraction(0, 0.3, request_duration_bucket)
WITH newest AS (
       SELECT instance, le, value, max(ts) FROM request_duration_bucket
        WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
        GROUP BY instance, le),
     buckets AS (
       SELECT instance, le, lag(le, 1, 0) OVER (PARTITION BY instance ORDER BY le) AS lower,
              value - lag(value, 1, 0) OVER (PARTITION BY instance ORDER BY le) AS count
         FROM newest)
SELECT instance, sum(count * max(0, min(le, 0.3) - max(lower, 0)) / (le - lower)) / sum(count) AS value
  FROM buckets
 GROUP BY instance
 ORDER BY instance;
