-- LIMIT; with a condition, the rows before the first that does not meet it.
-- covers: head
-- query: sort _time | head (status < 400) | table _time, status
SELECT ts_text(ts) AS time, status
  FROM (SELECT ts, status, sum(NOT status < 400) OVER (ORDER BY ts) AS failed FROM access_log)
 WHERE failed = 0
 ORDER BY ts;
