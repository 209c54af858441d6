-- IN with a list of values.
-- covers: eval IN; in()
-- query: where status IN (403, 404) | stats count
SELECT count(*) AS count FROM access_log WHERE status IN (403, 404);
