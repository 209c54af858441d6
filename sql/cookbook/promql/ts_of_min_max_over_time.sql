-- Of several samples with the extreme value the last one's time counts.
-- covers: ts_of_min_over_time(); ts_of_max_over_time()
-- query: ts_of_min_over_time(cpu[5m]), ts_of_max_over_time(cpu[5m])
SELECT host, max(ts) FILTER (WHERE usage = low) / 1000.0 AS ts_of_min, max(ts) FILTER (WHERE usage = high) / 1000.0 AS ts_of_max
  FROM (SELECT *, min(usage) OVER (PARTITION BY host, region) AS low, max(usage) OVER (PARTITION BY host, region) AS high
          FROM cpu
         WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z'))
 GROUP BY host, region
 ORDER BY host;
