-- The quartiles, and so many times their distance beyond the upper one: max and min cut the values off there.
-- covers: outlier
-- query: outlier action=transform param=2.5 uselower=false duration | table path, duration
WITH limits AS (SELECT q3 + 2.5 * (q3 - q1) AS upper
                  FROM (SELECT quantile(duration_ms, 0.25) AS q1, quantile(duration_ms, 0.75) AS q3 FROM access_log))
SELECT path, duration_ms, min(duration_ms, upper) AS transformed
  FROM access_log, limits
 WHERE duration_ms > upper
 ORDER BY ts;
