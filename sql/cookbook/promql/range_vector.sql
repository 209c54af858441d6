-- A range is open at its left end and closed at its right one (since Prometheus 3.0).
-- covers: range vector [5m]; duration literals
-- query: cpu{host="web1"}[3m]
SELECT ts_text(ts) AS time, usage AS value FROM cpu
 WHERE host = 'web1' AND ts > ts('2026-11-23T10:00:00Z', '-3 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 ORDER BY ts;
