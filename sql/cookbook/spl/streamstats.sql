-- Aggregates over the rows so far; window=3 is ROWS 2 PRECEDING, current=f ends the frame at 1 PRECEDING.
-- covers: streamstats
-- query: sort _time | streamstats window=3 avg(duration) AS recent, count AS n BY host | table host, duration, recent, n
SELECT host, duration_ms, round(avg(duration_ms) OVER (PARTITION BY host ORDER BY ts ROWS 2 PRECEDING), 2) AS recent,
       row_number() OVER (PARTITION BY host ORDER BY ts) AS n
  FROM access_log
 WHERE ts < ts('2026-11-23T09:06:00Z')
 ORDER BY ts;
