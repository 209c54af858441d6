-- count() of the values so far numbers the stretches that one value covers.
-- covers: filldown
-- query: sort _time | filldown user | table _time, user
SELECT time, max(user) OVER (PARTITION BY stretch) AS user
  FROM (SELECT ts_text(ts) AS time, ts, user, count(user) OVER (ORDER BY ts) AS stretch FROM access_log WHERE host = 'web2')
 ORDER BY ts;
