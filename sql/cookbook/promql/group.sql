-- One element of value 1 for each group.
-- covers: group
-- query: group by (region) (cpu)
SELECT DISTINCT region, 1 AS value FROM cpu_now ORDER BY region;
