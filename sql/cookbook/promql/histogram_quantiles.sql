-- One column for each quantile.
-- covers: histogram_quantiles()
-- query: histogram_quantiles(request_duration_bucket, "q", 0.5, 0.8, 0.95)
SELECT instance, histogram_quantile(0.5, le, value) AS "0.5", histogram_quantile(0.8, le, value) AS "0.8",
       histogram_quantile(0.95, le, value) AS "0.95"
  FROM request_duration_now
 GROUP BY instance
 ORDER BY instance;
