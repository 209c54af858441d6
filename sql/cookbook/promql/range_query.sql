-- A function ..._to_grid answers all steps in one pass, as pairs of time and value; last_to_grid with the lookback is what a selector
-- sees at each step. Their bounds are start(), end() and step().
-- covers: range query (start, end, step); @ start(); @ end(); start(); end(); step(); range()
-- query: sum(cpu), sum by (instance) (rate(http_requests_total[5m]))    from 09:52 to 09:58, step 2m
WITH series AS (
       SELECT last_to_grid(usage, ts, ts('2026-11-23T09:52:00Z'), ts('2026-11-23T09:58:00Z'), duration('2m'), duration('5m')) AS grid
         FROM cpu
        WHERE ts > ts('2026-11-23T09:52:00Z', '-5 minutes') AND ts <= ts('2026-11-23T09:58:00Z')
        GROUP BY host, region)
SELECT ts_text(point.value ->> 0) AS time, sum(point.value ->> 1) AS value
  FROM series, json_each(grid) AS point
 GROUP BY time
 ORDER BY time;
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
