-- The function of the same name: each row is a bucket. The second query is over the last five minutes alone, of all instances.
-- covers: histogram_quantile()
-- query: histogram_quantile(0.8, request_duration_bucket),
--   histogram_quantile(0.8, sum by (le) (rate(request_duration_bucket[5m])))
SELECT instance, histogram_quantile(0.8, le, value) AS value FROM request_duration_now GROUP BY instance ORDER BY instance;
WITH rates AS (
       SELECT le, rate(value, ts, ts('2026-11-23T10:00:00Z', '-5 minutes'), ts('2026-11-23T10:00:00Z')) AS value
         FROM request_duration_bucket
        WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
        GROUP BY instance, le)
SELECT histogram_quantile(0.8, le, value) AS value FROM rates;
