-- Aggregates over the samples of a range, for each series.
-- covers: avg_over_time(); min_over_time(); max_over_time(); sum_over_time(); count_over_time()
-- query: avg_over_time(cpu[5m]), min_over_time(cpu[5m]), max_over_time(cpu[5m]), sum_over_time(cpu[5m]), count_over_time(cpu[5m])
SELECT host, avg(usage) AS avg, min(usage) AS min, max(usage) AS max, sum(usage) AS sum, count(*) AS count
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
