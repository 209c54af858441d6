-- The area between the samples by trapezoids, in value times seconds; Prometheus has the name, but its documentation does not yet.
-- covers: integral()
-- query: integral(cpu[5m])
SELECT host, region, integral(usage, ts) AS value
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
