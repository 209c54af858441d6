-- Counts, their share of all, and the greatest first.
-- covers: top
-- query: top limit=2 path
SELECT path, count(*) AS count, round(100.0 * count(*) / sum(count(*)) OVER (), 6) AS percent
  FROM access_log
 GROUP BY path
 ORDER BY count DESC, path LIMIT 2;
