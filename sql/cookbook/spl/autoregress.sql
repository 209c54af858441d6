-- lag() gives the value of so many rows before.
-- covers: autoregress
-- query: sort _time | autoregress status p=1-2 | table _time, status, status_p1, status_p2 | head 4
SELECT ts_text(ts) AS time, status, lag(status, 1) OVER (ORDER BY ts) AS status_p1, lag(status, 2) OVER (ORDER BY ts) AS status_p2
  FROM access_log
 ORDER BY ts LIMIT 4;
