-- For each event, those that began no later and are not over: each lasts an hour here. Both bounds keep the inner query short.
-- covers: concurrency
-- query: index=orders earliest=@d | eval seconds=3600 | concurrency duration=seconds | sort _time
SELECT ts_text(a.ts) AS time, a.user, a.item,
       (SELECT count(*) FROM orders AS b WHERE b.ts > a.ts - duration('1h') AND b.ts <= a.ts) AS concurrency
  FROM orders AS a
 WHERE a.ts >= ts('2026-11-23')
 ORDER BY a.ts;
