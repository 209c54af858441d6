-- The inner query at each minute of the range (multiples of the resolution), then the outer function over its results.
-- covers: subquery [5m:1m]
-- query: max_over_time(sum(cpu)[5m:1m])
WITH series AS (
       SELECT last_to_grid(usage, ts, ts('2026-11-23T10:00:00Z', '-4 minutes'), ts('2026-11-23T10:00:00Z'), duration('1m'), duration('5m'))
              AS grid
         FROM cpu
        WHERE ts > ts('2026-11-23T10:00:00Z', '-9 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
        GROUP BY host, region),
     sums AS (SELECT point.value ->> 0 AS t, sum(point.value ->> 1) AS value FROM series, json_each(grid) AS point GROUP BY t)
SELECT max(value) AS value FROM sums;
