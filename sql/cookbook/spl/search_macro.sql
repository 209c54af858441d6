-- What is used in many queries is a view, or a CTE.
-- covers: search: macro
-- query: `failures("web2")` | stats count
CREATE TEMP VIEW failures AS SELECT * FROM access_log WHERE status >= 400;
SELECT count(*) AS count FROM failures WHERE host = 'web2';
DROP VIEW failures;
