-- The counts of all buckets as a list: gapfill has those without rows, too.
-- covers: stats sparkline()
-- query: stats sparkline(count, 10m) AS trend BY host
WITH buckets AS (
  SELECT host, time_bucket('10m', ts) AS ts, count(*) AS count FROM access_log
   WHERE ts >= ts('2026-11-23T09:00:00Z') AND ts < ts('2026-11-23T10:00:00Z') GROUP BY 1, 2),
     grid AS (SELECT host, ts FROM (SELECT DISTINCT host FROM buckets),
                                   gapfill('10m', ts('2026-11-23T09:00:00Z'), ts('2026-11-23T10:00:00Z')))
SELECT host, json_group_array(coalesce(count, 0)) AS trend
  FROM (SELECT host, count FROM grid LEFT JOIN buckets USING (host, ts) ORDER BY host, ts)
 GROUP BY host
 ORDER BY host;
