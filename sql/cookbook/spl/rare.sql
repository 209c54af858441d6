-- As top, with the least first.
-- covers: rare
-- query: rare limit=2 status
SELECT status, count(*) AS count, round(100.0 * count(*) / sum(count(*)) OVER (), 6) AS percent
  FROM access_log
 GROUP BY status
 ORDER BY count, status LIMIT 2;
