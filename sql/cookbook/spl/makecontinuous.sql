-- A grid of all buckets, and a LEFT JOIN of those that have rows.
-- covers: makecontinuous
-- query: bin _time span=10m | stats count BY _time | makecontinuous _time span=10m | fillnull count
WITH RECURSIVE grid(time) AS (SELECT ts('2026-11-23T09:00:00Z')
                              UNION ALL SELECT time + 600000 FROM grid WHERE time < ts('2026-11-23T09:50:00Z')),
     counts AS (SELECT time_bucket('10m', ts) AS time, count(*) AS count FROM access_log GROUP BY 1)
SELECT ts_text(time) AS time, coalesce(count, 0) AS count FROM grid LEFT JOIN counts USING (time) ORDER BY time;
