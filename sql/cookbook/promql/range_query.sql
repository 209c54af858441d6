-- A range query asks an instant query at each step; start(), end() and step() are bounds of the grid. Of ranges, functions ..._to_grid
-- answer all steps in one pass.
-- covers: range query (start, end, step); @ start(); @ end(); start(); end(); step(); range()
-- query: sum(cpu), sum by (instance) (rate(http_requests_total[5m]))    from 09:52 to 09:58, step 2m
WITH RECURSIVE
  query("start", "end", step) AS (SELECT ts('2026-11-23T09:52:00Z'), ts('2026-11-23T09:58:00Z'), duration('2m')),
  grid(t) AS (SELECT "start" FROM query UNION ALL SELECT t + step FROM grid, query WHERE t + step <= "end"),
  instant AS (SELECT t, host, last(usage, ts) AS value FROM grid JOIN cpu ON ts > t - duration('5m') AND ts <= t GROUP BY t, host, region)
SELECT ts_text(t) AS time, sum(value) AS value FROM instant GROUP BY t ORDER BY t;
WITH series AS (
       SELECT instance,
              rate_to_grid(value, ts, ts('2026-11-23T09:52:00Z'), ts('2026-11-23T09:58:00Z'), duration('2m'), duration('5m')) AS grid
         FROM http_requests_total
        WHERE ts > ts('2026-11-23T09:52:00Z', '-5 minutes') AND ts <= ts('2026-11-23T09:58:00Z')
        GROUP BY job, instance, method, code)
SELECT ts_text(point.value ->> 0) AS time, instance, sum(point.value ->> 1) AS value
  FROM series, json_each(grid) AS point
 GROUP BY time, instance
 ORDER BY time, instance;
