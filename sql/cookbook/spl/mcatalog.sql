-- The names and tags that there are.
-- covers: mcatalog
-- query: | mcatalog values(host) WHERE index=metrics BY region
SELECT region, json_group_array(host) AS hosts FROM (SELECT DISTINCT region, host FROM cpu ORDER BY host) GROUP BY region;
