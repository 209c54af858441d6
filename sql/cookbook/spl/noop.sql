-- A comment, to the end of the line or between /* and */.
-- covers: noop; comments
-- query: search status=500 | noop | stats count ```how many```
SELECT count(*) AS count FROM access_log WHERE status = 500; -- how many
