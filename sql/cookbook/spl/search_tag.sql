-- A tag stands for a list of values, an event type for a condition: both are a CTE, a view, or a table to join.
-- covers: search: tag=; search: eventtype=
-- query: search tag=security | stats count BY path
WITH tags(status, tag) AS (VALUES (401, 'security'), (403, 'security'), (500, 'outage'))
SELECT path, count(*) AS count FROM access_log WHERE status IN (SELECT status FROM tags WHERE tag = 'security') GROUP BY path;
