-- The values that begin so, with their counts.
-- covers: typeahead
-- query: | typeahead prefix="/c" count=10
SELECT path, count(*) AS count FROM access_log WHERE path GLOB '/c*' GROUP BY path ORDER BY count DESC, path LIMIT 10;
