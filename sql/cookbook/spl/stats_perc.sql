-- Splunk's perc estimates where there are many values; so does a t-digest, of which approx_percentile asks any number of percentiles.
-- covers: stats perc()
-- query: stats perc50(duration) AS p50, perc95(duration) AS p95 BY host
SELECT host, approx_percentile(0.5, digest) AS p50, approx_percentile(0.95, digest) AS p95
  FROM (SELECT host, tdigest(duration_ms) AS digest FROM access_log GROUP BY host)
 ORDER BY host;
