-- How often a value differs from the one before it in the range, and how often it is below.
-- covers: changes(); resets()
-- query: changes(http_requests_total[10m]), resets(http_requests_total[10m])
SELECT instance, method, code, num_changes(value, ts) AS changes, num_resets(value, ts) AS resets
  FROM http_requests_total
 WHERE ts > ts('2026-11-23T10:00:00Z', '-10 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 GROUP BY job, instance, method, code
 ORDER BY instance, method, code;
