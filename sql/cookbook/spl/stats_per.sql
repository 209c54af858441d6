-- The sum of the bucket by the bucket's length, in the unit asked for.
-- covers: stats per_day(); stats per_hour(); stats per_minute(); stats per_second()
-- query: timechart span=30m per_second(bytes) AS s, per_minute(bytes) AS m, per_hour(bytes) AS h, per_day(bytes) AS d
SELECT ts_text(time_bucket('30m', ts)) AS time, sum(bytes) / 1800.0 AS s, sum(bytes) / 30.0 AS m,
       sum(bytes) * 2.0 AS h, sum(bytes) * 48.0 AS d
  FROM access_log
 GROUP BY 1
 ORDER BY 1;
