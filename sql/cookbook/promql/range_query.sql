-- A range query asks an instant query at each step; start(), end() and step() are bounds of the grid.
-- covers: range query (start, end, step); @ start(); @ end(); start(); end(); step(); range()
-- query: sum(cpu)        from 09:52 to 09:58, step 2m
WITH RECURSIVE
  query("start", "end", step) AS (SELECT ts('2026-11-23T09:52:00Z'), ts('2026-11-23T09:58:00Z'), 120000),
  grid(t) AS (SELECT "start" FROM query UNION ALL SELECT t + step FROM grid, query WHERE t + step <= "end"),
  instant AS (SELECT t, host, usage AS value, max(ts) FROM grid JOIN cpu ON ts > t - 300000 AND ts <= t GROUP BY t, host, region)
SELECT ts_text(t) AS time, sum(value) AS value FROM instant GROUP BY t ORDER BY t;
