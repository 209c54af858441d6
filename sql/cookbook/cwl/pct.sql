-- The place p * (n - 1) of the sorted values, linear between two.
-- covers: pct()
-- query: stats pct(duration, 95) as p95, pct(duration, 50) as p50 by host
SELECT host, quantile(duration_ms, 0.95) AS p95, median(duration_ms) AS p50 FROM access_log GROUP BY host ORDER BY host;
