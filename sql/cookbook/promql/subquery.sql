-- The inner query at each minute of the range (multiples of the resolution), then the outer function over its results.
-- covers: subquery [5m:1m]
-- query: max_over_time(sum(cpu)[5m:1m])
WITH RECURSIVE
  grid(t) AS (SELECT ts('2026-11-23T10:00:00Z', '-4 minutes') UNION ALL SELECT t + 60000 FROM grid WHERE t < ts('2026-11-23T10:00:00Z')),
  instant AS (SELECT t, host, usage AS value, max(ts) FROM grid JOIN cpu ON ts > t - 300000 AND ts <= t GROUP BY t, host, region),
  sums AS (SELECT t, sum(value) AS value FROM instant GROUP BY t)
SELECT max(value) AS value FROM sums;
