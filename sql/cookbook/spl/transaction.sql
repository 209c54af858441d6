-- session_id numbers the sessions of each client: an event more than the pause after the one before begins another.
-- covers: transaction
-- query: transaction client maxpause=5m | table client, _time, duration, eventcount
SELECT client, ts_text(min(ts)) AS time, (max(ts) - min(ts)) / 1000.0 AS duration, count(*) AS eventcount
  FROM (SELECT client, ts, session_id(ts, '5m') OVER (PARTITION BY client ORDER BY ts) AS session FROM access_log)
 GROUP BY client, session
 ORDER BY min(ts);
