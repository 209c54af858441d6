-- As quantile, over the samples of each series.
-- covers: quantile_over_time()
-- query: quantile_over_time(0.9, cpu[5m])
SELECT host, region, quantile(usage, 0.9) AS value
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
