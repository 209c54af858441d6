-- AS gives a column its new name.
-- covers: rename
-- query: rename client AS "client address", status AS code | table "client address", code | head 1
SELECT client AS "client address", status AS code FROM access_log ORDER BY ts LIMIT 1;
