-- Tags of values are a table of (value, tag).
-- covers: tags
-- query: tags outputfield=tag status | stats count BY tag
WITH tags(status, tag) AS (VALUES (403, 'security'), (404, 'client'), (500, 'outage'))
SELECT tag, count(*) AS count FROM access_log JOIN tags USING (status) GROUP BY tag ORDER BY tag;
