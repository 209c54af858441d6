-- IN with a list of values.
-- covers: search: IN
-- query: search status IN (403, 404, 500) | stats count BY status
SELECT status, count(*) AS count FROM access_log WHERE status IN (403, 404, 500) GROUP BY status;
