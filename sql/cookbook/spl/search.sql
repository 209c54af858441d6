-- The conditions of a WHERE.
-- covers: search
-- query: search host=web1 status>=400 NOT method=GET | table path, status
SELECT path, status FROM access_log WHERE host = 'web1' AND status >= 400 AND NOT method = 'GET' ORDER BY ts;
