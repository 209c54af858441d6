-- The counts of the buckets as a list; buckets without events are rows of the grid that nothing joins.
-- covers: stats sparkline()
-- query: stats sparkline(count, 10m) AS trend BY host
WITH RECURSIVE grid(time) AS (SELECT ts('2026-11-23T09:00:00Z')
                              UNION ALL SELECT time + 600000 FROM grid WHERE time < ts('2026-11-23T09:50:00Z')),
     counts AS (SELECT host, time_bucket('10m', ts) AS time, count(*) AS count FROM access_log GROUP BY 1, 2)
SELECT host, json_group_array(coalesce(count, 0)) AS trend
  FROM (SELECT DISTINCT host FROM counts) JOIN grid LEFT JOIN counts USING (host, time)
 GROUP BY host
 ORDER BY host;
