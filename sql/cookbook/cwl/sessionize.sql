-- session_id numbers the sessions: a row more than the gap after the one before it begins another.
-- covers: sessionize
-- query: sessionize client maxspan 5m
SELECT client, ts_text(ts) AS time, session_id(ts, '5m') OVER (PARTITION BY client ORDER BY ts) AS session
  FROM access_log
 WHERE client GLOB '10.*'
 ORDER BY client, ts;
