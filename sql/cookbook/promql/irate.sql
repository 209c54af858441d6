-- The rise between the last two samples, a second; after a fall the counter began at 0.
-- covers: irate()
-- query: irate(http_requests_total{code="200"}[5m])
SELECT instance, method, irate(value, ts) AS value
  FROM http_requests_total
 WHERE code = '200' AND ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY job, instance, method, code
 ORDER BY instance, method;
