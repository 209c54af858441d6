-- The median of the distances from the median.
-- covers: mad_over_time()
-- query: mad_over_time(cpu[5m])
SELECT host, region, mad(usage) AS value
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
