-- The deviation of the population, not of a sample.
-- covers: stddev_over_time(); stdvar_over_time()
-- query: stddev_over_time(cpu[5m]), stdvar_over_time(cpu[5m])
SELECT host, region, stddev_pop(usage) AS stddev, var_pop(usage) AS stdvar
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
