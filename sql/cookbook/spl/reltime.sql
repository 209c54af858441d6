-- The largest unit that fits, by CASE; the time asked from is a constant here and would be ts('now').
-- covers: reltime
-- query: reltime | table path, reltime | head 2
SELECT path, CASE WHEN ago >= 3600 THEN (ago / 3600) || ' hours ago'
                  WHEN ago >= 60 THEN (ago / 60) || ' minutes ago' ELSE ago || ' seconds ago' END AS reltime
  FROM (SELECT path, (ts('2026-11-23T10:00:00Z') - ts) / 1000 AS ago FROM access_log)
 ORDER BY ago LIMIT 2;
