-- The mean square of the distances from each series' mean.
-- covers: stddev_over_time(); stdvar_over_time()
-- query: stddev_over_time(cpu[5m]), stdvar_over_time(cpu[5m])
SELECT host, sqrt(avg(pow(usage - mean, 2))) AS stddev, avg(pow(usage - mean, 2)) AS stdvar
  FROM (SELECT host, region, usage, avg(usage) OVER (PARTITION BY host, region) AS mean
          FROM cpu
         WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z'))
 GROUP BY host, region
 ORDER BY host;
