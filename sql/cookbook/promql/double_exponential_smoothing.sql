-- Holt's method with the smoothing and trend factors.
-- covers: double_exponential_smoothing()
-- query: double_exponential_smoothing(cpu[10m], 0.5, 0.3)
SELECT host, double_exponential_smoothing(usage, ts, 0.5, 0.3) AS value
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-10 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host
 ORDER BY host;
