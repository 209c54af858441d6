-- The ranges in which events lie no further apart than the pause, widened on both sides.
-- covers: localize
-- query: search status>=400 | localize maxpause=5m timebefore=30s timeafter=30s
SELECT ts_text(min(ts) - duration('30s')) AS starttime, ts_text(max(ts) + duration('30s')) AS endtime
  FROM (SELECT ts, session_id(ts, '5m') OVER (ORDER BY ts) AS session FROM access_log WHERE status >= 400)
 GROUP BY session;
