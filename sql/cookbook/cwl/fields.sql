-- The select list; the last display decides which columns are shown, and as names them.
-- covers: fields; display; aliases (as); sort; limit
-- query: fields @timestamp, path, duration / 1000 as seconds | sort @timestamp desc | limit 3
SELECT ts_text(ts) AS timestamp, path, duration_ms / 1000 AS seconds FROM access_log ORDER BY ts DESC LIMIT 3;
