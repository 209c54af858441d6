-- A duration is a number, to be computed with.
-- covers: duration expressions
-- query: max_over_time(cpu[5m * 2])
SELECT host, region, max(usage) AS value
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z') - duration('5m') * 2 AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
