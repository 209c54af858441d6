-- The last rows of an order are the first of its reverse, which is how tail gives them, too.
-- covers: tail
-- query: sort _time | tail 2 | table _time, path
SELECT ts_text(ts) AS time, path FROM access_log ORDER BY ts DESC LIMIT 2;
