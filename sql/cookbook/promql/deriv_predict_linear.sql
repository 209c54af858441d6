-- The least-squares line through the range's samples: its slope a second, and its value ten minutes after the evaluation time.
-- covers: deriv(); predict_linear()
-- query: deriv(cpu[5m]), predict_linear(cpu[5m], 600)
SELECT host, region, deriv(usage, ts) AS deriv, predict_linear(usage, ts, ts('2026-11-23T10:00:00Z', '+600 seconds')) AS predict_linear
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY host, region
 ORDER BY host;
