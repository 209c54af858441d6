-- Distinct counts and percentiles cannot be added, but their sketches merge: rollup makes the hour's of the half hours'.
-- covers: sitimechart
-- query: sitimechart span=30m dc(client) perc95(duration) | collect index=summary
CREATE TEMP TABLE summary AS
SELECT time_bucket('30m', ts) AS ts, hyperloglog(client) AS clients, tdigest(duration_ms) AS durations FROM access_log GROUP BY 1;
SELECT ts_text(time_bucket('1h', ts)) AS time, distinct_count(rollup(clients)) AS clients, approx_percentile(0.95, rollup(durations)) AS p95
  FROM summary
 GROUP BY 1;
DROP TABLE summary;
