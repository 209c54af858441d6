-- Formatting stands in the outermost select list, ORDER BY goes by the value.
-- covers: fieldformat
-- query: stats sum(bytes) AS bytes BY path | sort -bytes | head 2 | fieldformat bytes=tostring(bytes, "commas")
SELECT path, printf('%,d', sum(bytes)) AS size FROM access_log GROUP BY path ORDER BY sum(bytes) DESC LIMIT 2;
