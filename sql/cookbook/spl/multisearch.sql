-- UNION ALL of several tables, ordered by time.
-- covers: multisearch; union
-- query: | multisearch [search index=access status>=500] [search index=app level=error] | table _time, what
SELECT ts_text(ts) AS time, path AS what FROM access_log WHERE status >= 500
UNION ALL
SELECT ts_text(ts), message ->> 'event' FROM app_log WHERE json_valid(message) AND message ->> 'level' = 'error'
 ORDER BY time, what;
