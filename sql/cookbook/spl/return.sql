-- A subquery of one row gives its value.
-- covers: return
-- query: index=access [search index=access status=500 | return 1 user]
SELECT ts_text(ts) AS time, path, status
  FROM access_log
 WHERE user = (SELECT user FROM access_log WHERE status = 500 ORDER BY ts DESC LIMIT 1)
 ORDER BY ts;
