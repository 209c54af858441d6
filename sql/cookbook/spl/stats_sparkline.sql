-- The counts of all buckets as a list: gapfill has those without rows, too.
-- covers: stats sparkline()
-- query: stats sparkline(count, 10m) AS trend BY host
SELECT host, json_group_array(count) AS trend
  FROM (SELECT hosts.host, grid.ts, count(a.ts) AS count
          FROM (SELECT DISTINCT host FROM access_log) AS hosts
               JOIN gapfill('10m', ts('2026-11-23T09:00:00Z'), ts('2026-11-23T10:00:00Z')) AS grid
               LEFT JOIN access_log AS a ON a.host = hosts.host AND time_bucket('10m', a.ts) = grid.ts
         GROUP BY hosts.host, grid.ts)
 GROUP BY host
 ORDER BY host;
