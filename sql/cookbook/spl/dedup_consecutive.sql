-- A row whose value is that of the row before is left out.
-- covers: dedup consecutive=
-- query: sort _time | dedup status consecutive=true | table _time, status
SELECT ts_text(ts) AS time, status
  FROM (SELECT ts, status, lag(status) OVER (ORDER BY ts) AS before FROM access_log)
 WHERE status IS NOT before
 ORDER BY ts;
