-- The select list; a field that is not wanted is not named.
-- covers: fields; table
-- query: table _time, path, status | fields - _time | head 2
SELECT path, status FROM access_log ORDER BY ts LIMIT 2;
