-- The same selector, at an earlier time; a negative offset is a later one.
-- covers: offset
-- query: cpu offset 5m
SELECT host, region, usage AS value, max(ts) AS ts
  FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z', '-5 minutes')
 GROUP BY host, region
 ORDER BY host;
