-- A row more than the gap after the one before it begins a session; the sum of beginnings numbers them.
-- covers: sessionize
-- query: sessionize client maxspan 5m
SELECT client, ts_text(ts) AS time, sum(begins) OVER (PARTITION BY client ORDER BY ts) AS session
  FROM (SELECT client, ts, coalesce(ts - lag(ts) OVER (PARTITION BY client ORDER BY ts) > 300000, 1) AS begins FROM access_log)
 WHERE client GLOB '10.*'
 ORDER BY client, ts;
