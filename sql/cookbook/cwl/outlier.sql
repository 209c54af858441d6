-- The quartiles, and so many times their distance beyond the upper one; action=remove leaves out what lies above.
-- covers: outlier
-- query: fields path, duration | outlier action=remove param=3.0 duration | stats count(*), max(duration)
WITH limits AS (SELECT q3 + 3 * (q3 - q1) AS upper
                  FROM (SELECT quantile(duration_ms, 0.25) AS q1, quantile(duration_ms, 0.75) AS q3 FROM access_log))
SELECT count(*) AS count, max(duration_ms) AS max FROM access_log, limits WHERE duration_ms <= upper;
