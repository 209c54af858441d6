-- Each key of interest is an expression; json_each gives all of them as rows.
-- covers: fromjson
-- query: fromjson message | table level, event | head 2
SELECT message ->> 'level' AS level, message ->> 'event' AS event FROM app_log WHERE json_valid(message) ORDER BY ts LIMIT 2;
