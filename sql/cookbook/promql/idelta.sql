-- The newest sample of the range minus the one before it.
-- covers: idelta()
-- query: idelta(cpu[5m])
SELECT host, usage - previous AS value, max(ts) AS ts
  FROM (SELECT *, lag(usage) OVER (PARTITION BY host, region ORDER BY ts) AS previous
          FROM cpu
         WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z'))
 WHERE previous IS NOT NULL
 GROUP BY host, region
 ORDER BY host;
