-- A CTE is used twice: as it is, and once more aggregated below.
-- covers: appendpipe
-- query: stats sum(bytes) AS bytes BY host, method | appendpipe [stats sum(bytes) AS bytes BY host | eval method="all"]
WITH sums AS (SELECT host, method, sum(bytes) AS bytes FROM access_log GROUP BY host, method)
SELECT host, method, bytes FROM sums
UNION ALL
SELECT host, 'all', sum(bytes) FROM sums GROUP BY host
 ORDER BY host, method;
