-- An event more than the pause after the one before begins a transaction; the sum of beginnings numbers them.
-- covers: transaction
-- query: transaction client maxpause=5m | table client, _time, duration, eventcount
WITH marked AS (
  SELECT client, ts, coalesce(ts - lag(ts) OVER (PARTITION BY client ORDER BY ts) > duration('5m'), 1) AS begins FROM access_log),
     numbered AS (SELECT client, ts, sum(begins) OVER (PARTITION BY client ORDER BY ts) AS number FROM marked)
SELECT client, ts_text(min(ts)) AS time, (max(ts) - min(ts)) / 1000.0 AS duration, count(*) AS eventcount
  FROM numbered
 GROUP BY client, number
 ORDER BY min(ts);
