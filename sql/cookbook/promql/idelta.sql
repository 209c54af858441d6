-- The newest sample of the range minus the one before it.
-- covers: idelta()
-- query: idelta(cpu[5m])
SELECT host, region, idelta(usage, ts) AS value
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
