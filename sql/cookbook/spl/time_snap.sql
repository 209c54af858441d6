-- Snapping is the start of the bucket, or SQLite's 'start of day', 'start of month', 'start of year'.
-- covers: snap to @s, @m, @h, @d; snap to @mon, @q, @y; chained offsets: -1d@d+2h
-- query: | makeresults | eval h=relative_time(_time, "@h"), d=relative_time(_time, "-1d@d+2h"), q=relative_time(_time, "@q")
WITH t(now) AS (SELECT ts('2026-11-23T10:37:12Z'))
SELECT ts_text(time_bucket('1h', now)) AS h, ts_text(ts('2026-11-23T10:37:12Z', '-1 day', 'start of day', '+2 hours')) AS d,
       ts_text(time_bucket('3 months', now)) AS q, ts_text(ts('2026-11-23T10:37:12Z', 'start of month')) AS mon
  FROM t;
