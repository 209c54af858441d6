-- The values at the least and at the greatest time, and these times.
-- covers: last_over_time(); first_over_time(); ts_of_last_over_time(); ts_of_first_over_time()
-- query: first_over_time(cpu[5m]), ts_of_first_over_time(cpu[5m]), last_over_time(cpu[5m]), ts_of_last_over_time(cpu[5m])
SELECT host, region, first(usage, ts) AS first, min(ts) / 1000.0 AS ts_of_first, last(usage, ts) AS last, max(ts) / 1000.0 AS ts_of_last
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
