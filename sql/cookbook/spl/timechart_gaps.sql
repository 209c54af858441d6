-- As timechart shows them: all buckets of the range, those without rows too.
-- covers: timechart cont=
-- query: earliest=@h latest=+1h@h | timechart span=10m avg(duration) AS mean, count
SELECT ts_text(grid.ts) AS time, avg(duration_ms) AS mean, count(a.ts) AS count
  FROM gapfill('10m', ts('2026-11-23T09:00:00Z'), ts('2026-11-23T10:00:00Z')) AS grid
       LEFT JOIN access_log AS a ON time_bucket('10m', a.ts) = grid.ts
 GROUP BY grid.ts
 ORDER BY grid.ts;
