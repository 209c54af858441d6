-- The ranges in which events lie no further apart than the pause, widened on both sides.
-- covers: localize
-- query: search status>=400 | localize maxpause=5m timebefore=30s timeafter=30s
WITH marked AS (SELECT ts, coalesce(ts - lag(ts) OVER (ORDER BY ts) > duration('5m'), 1) AS begins FROM access_log WHERE status >= 400),
     numbered AS (SELECT ts, sum(begins) OVER (ORDER BY ts) AS number FROM marked)
SELECT ts_text(min(ts) - duration('30s')) AS starttime, ts_text(max(ts) + duration('30s')) AS endtime
  FROM numbered
 GROUP BY number;
