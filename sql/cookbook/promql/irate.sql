-- The rise between the last two samples, a second; after a fall the counter began at 0.
-- covers: irate()
-- query: irate(http_requests_total{code="200"}[5m])
SELECT instance, method, (value - CASE WHEN value < previous THEN 0 ELSE previous END) * 1000.0 / (ts - previous_ts) AS value, max(ts) AS ts
  FROM (SELECT *, lag(value) OVER series AS previous, lag(ts) OVER series AS previous_ts
          FROM http_requests_total
         WHERE code = '200' AND ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
        WINDOW series AS (PARTITION BY job, instance, method, code ORDER BY ts))
 WHERE previous IS NOT NULL
 GROUP BY job, instance, method, code
 ORDER BY instance, method;
