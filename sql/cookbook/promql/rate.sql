-- With the window's bounds, (from, to], each extrapolates to them as Prometheus does; rate and increase heed counter resets.
-- covers: rate(); increase(); delta()
-- query: rate(http_requests_total{method="GET", code="200"}[5m]), increase(http_requests_total{method="GET", code="200"}[5m]),
--   delta(http_requests_total{method="GET", code="200"}[5m])
SELECT instance, rate(value, ts, start, stop) AS rate, increase(value, ts, start, stop) AS increase, delta(value, ts, start, stop) AS delta
  FROM http_requests_total, (SELECT ts('2026-11-23T10:00:00Z', '-5 minutes') AS start, ts('2026-11-23T10:00:00Z') AS stop)
 WHERE method = 'GET' AND code = '200' AND ts > start AND ts <= stop
 GROUP BY instance
 ORDER BY instance;
