-- json_object of the columns.
-- covers: tojson
-- query: tojson | table _raw | head 1
SELECT json_object('time', ts_text(ts), 'path', path, 'status', status) AS _raw FROM access_log ORDER BY ts LIMIT 1;
