-- The order is said, not turned round.
-- covers: reverse; tail
-- query: sort _time | tail 2
SELECT ts_text(ts) AS time, path FROM access_log ORDER BY ts DESC LIMIT 2;
