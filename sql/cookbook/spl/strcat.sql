-- ||; NULL makes all NULL, unlike printf('%s%s').
-- covers: strcat
-- query: strcat host "/" method where | stats count BY where
SELECT host || '/' || method AS "where", count(*) AS count FROM access_log GROUP BY 1 ORDER BY 1;
