-- The result of an earlier search is a table that was created from it.
-- covers: loadjob
-- query: | loadjob savedsearch="ada:shop:errors"
CREATE TEMP TABLE errors AS SELECT path, status FROM access_log WHERE status >= 500 ORDER BY ts;
SELECT * FROM errors;
DROP TABLE errors;
