-- The order is said in reverse: rows have none but that of ORDER BY.
-- covers: reverse
-- query: sort status | reverse | table status, path | head 3
SELECT status, path FROM access_log ORDER BY status DESC, ts DESC LIMIT 3;
