-- gapfill has all bins of the range, also those without rows: a LEFT JOIN keeps them.
-- covers: fillmissing
-- query: stats count(*) as n by bin(10m) | fillmissing with 0 for n
SELECT ts_text(grid.ts) AS bin, count(a.ts) AS n
  FROM gapfill('10m', ts('2026-11-23T09:00:00Z'), ts('2026-11-23T10:00:00Z')) AS grid
       LEFT JOIN access_log AS a ON time_bucket('10m', a.ts) = grid.ts
 GROUP BY grid.ts
 ORDER BY grid.ts;
