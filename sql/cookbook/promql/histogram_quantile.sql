-- The first bucket that reaches q of all observations, interpolated between its bounds; in the +Inf bucket it is the last finite bound.
-- covers: histogram_quantile(); histogram_quantiles()
-- query: histogram_quantiles(request_duration_bucket, "q", 0.5, 0.8, 0.95)
WITH newest AS (
       SELECT instance, le, value, max(ts) FROM request_duration_bucket
        WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
        GROUP BY instance, le),
     buckets AS (
       SELECT instance, le, value AS upto, max(value) OVER (PARTITION BY instance) AS total,
              lag(le, 1, 0) OVER (PARTITION BY instance ORDER BY le) AS lower,
              lag(value, 1, 0) OVER (PARTITION BY instance ORDER BY le) AS below
         FROM newest),
     wanted(q) AS (VALUES (0.5), (0.8), (0.95))
SELECT instance, q, min(le) AS le,
       CASE WHEN le = 9e999 THEN lower ELSE lower + (le - lower) * (q * total - below) / (upto - below) END AS value
  FROM buckets, wanted
 WHERE upto >= q * total
 GROUP BY instance, q
 ORDER BY instance, q;
