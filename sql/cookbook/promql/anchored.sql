-- No extrapolation: the last sample at or before the range's start counts as its first one; a fall is a counter reset.
-- covers: anchored
-- query: increase(http_requests_total{method="GET", code="200"}[5m] anchored)
SELECT instance, sum(CASE WHEN value < previous THEN value ELSE value - previous END) AS value
  FROM (SELECT instance, ts, value, lag(value) OVER (PARTITION BY instance ORDER BY ts) AS previous
          FROM http_requests_total
         WHERE method = 'GET' AND code = '200'
           AND ts > ts('2026-11-23T10:00:00Z', '-10 minutes') AND ts <= ts('2026-11-23T10:00:00Z'))
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes')
 GROUP BY instance;
