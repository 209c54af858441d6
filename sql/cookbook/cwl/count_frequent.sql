-- Exact instead of approximate.
-- covers: countFrequent
-- query: countFrequent path
SELECT path, count(*) AS count FROM access_log GROUP BY path ORDER BY count DESC, path LIMIT 3;
