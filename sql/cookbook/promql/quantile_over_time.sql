-- As quantile, over the samples of each series.
-- covers: quantile_over_time()
-- query: quantile_over_time(0.9, cpu[5m])
SELECT host, sum(usage * max(0, 1 - abs(place - 0.9 * (n - 1)))) AS value
  FROM (SELECT host, region, usage, row_number() OVER (PARTITION BY host, region ORDER BY usage) - 1 AS place,
               count(*) OVER (PARTITION BY host, region) AS n
          FROM cpu
         WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z'))
 GROUP BY host, region
 ORDER BY host;
