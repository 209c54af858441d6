-- UNION ALL puts one result below the other; NULL stands where one has no such column.
-- covers: append
-- query: index=access | stats count BY host | append [search index=orders | stats count BY region]
SELECT host, NULL AS region, count(*) AS count FROM access_log GROUP BY host
UNION ALL
SELECT NULL, region, count(*) FROM orders GROUP BY region
 ORDER BY host NULLS LAST, region;
