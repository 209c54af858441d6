-- Each sample of the range is compared with the one before it in the range.
-- covers: changes(); resets()
-- query: changes(http_requests_total[10m]), resets(http_requests_total[10m])
SELECT instance, method, code, coalesce(sum(value <> previous), 0) AS changes, coalesce(sum(value < previous), 0) AS resets
  FROM (SELECT *, lag(value) OVER (PARTITION BY job, instance, method, code ORDER BY ts) AS previous
          FROM http_requests_total
         WHERE ts > ts('2026-11-23T10:00:00Z', '-10 minutes') AND ts <= ts('2026-11-23T10:00:00Z'))
 GROUP BY job, instance, method, code
 ORDER BY instance, method, code;
