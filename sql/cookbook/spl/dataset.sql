-- A data set, a data model's table or a saved search is a view; FROM takes it like a table, and a pivot is its GROUP BY.
-- covers: datamodel; from; pivot; savedsearch
-- query: | from datamodel:"Web.Failed" | stats count BY status
CREATE TEMP VIEW failed AS SELECT * FROM access_log WHERE status >= 400;
SELECT status, count(*) AS count FROM failed GROUP BY status ORDER BY status;
DROP VIEW failed;
