-- The same names.
-- covers: json_object(); json_array(); json()
-- query: eval o=json_object("path", path, "tags", json_array("a", 1)) | table o | head 1
SELECT json_object('path', path, 'tags', json_array('a', 1)) AS o, json(' {"k" : 1} ') AS j FROM access_log ORDER BY ts LIMIT 1;
