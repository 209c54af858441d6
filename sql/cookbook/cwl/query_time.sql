-- The bounds are whatever the query puts into its WHERE; now() is in seconds in Logs Insights.
-- covers: now(); queryStartTime(); queryEndTime(); queryTimeRange()
-- query: fields toMillis(@timestamp) - queryStartTime() as since | filter since > queryTimeRange() / 2
WITH query("start", "end") AS (SELECT ts('2026-11-23T09:00:00Z'), ts('2026-11-23T10:00:00Z'))
SELECT count(*) AS count, max(ts - "start") AS since, "end" - "start" AS time_range, ts_s('now') > 0 AS now
  FROM access_log, query
 WHERE ts >= "start" AND ts < "end" AND ts - "start" > ("end" - "start") / 2;
