-- The first row of each group in the wanted order; consecutive=true compares with the row before.
-- covers: dedup
-- query: dedup 1 user sortby -_time | table _time, user, path
SELECT ts_text(ts) AS time, user, path
  FROM (SELECT *, row_number() OVER (PARTITION BY user ORDER BY ts DESC) AS n FROM access_log WHERE user IS NOT NULL)
 WHERE n = 1
 ORDER BY ts DESC;
