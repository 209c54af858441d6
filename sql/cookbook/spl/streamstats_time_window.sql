-- A window of time is a RANGE over the ts: the milliseconds before each row.
-- covers: streamstats time_window=
-- query: sort _time | streamstats time_window=5m count AS recent BY host | where recent > 1 | table host, _time, recent
SELECT host, ts_text(ts) AS time, recent
  FROM (SELECT host, ts, count(*) OVER (PARTITION BY host ORDER BY ts RANGE BETWEEN 299999 PRECEDING AND CURRENT ROW) AS recent
          FROM access_log)
 WHERE recent > 1
 ORDER BY ts;
