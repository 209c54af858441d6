-- Of each series the newest sample of the last five minutes; with max(ts), SQLite takes the other columns from that row.
-- covers: metric name; lookback and staleness
-- query: cpu
SELECT host, region, usage AS value, ts_text(max(ts)) AS time
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
