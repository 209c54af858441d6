-- A running total is a sum over the rows so far.
-- covers: accum
-- query: sort _time | accum bytes AS total | table _time, bytes, total | head 4
SELECT ts_text(ts) AS time, bytes, sum(bytes) OVER (ORDER BY ts) AS total FROM access_log ORDER BY ts LIMIT 4;
