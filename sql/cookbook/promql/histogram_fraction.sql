-- The share of observations between 0 and 0.3 seconds.
-- covers: histogram_fraction()
-- query: histogram_fraction(0, 0.3, request_duration_bucket)
SELECT instance, histogram_fraction(0, 0.3, le, value) AS value FROM request_duration_now GROUP BY instance ORDER BY instance;
