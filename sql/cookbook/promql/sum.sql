-- The sum of each group's values.
-- covers: sum; by
-- query: sum by (region) (cpu)
SELECT region, sum(value) AS value FROM cpu_now GROUP BY region ORDER BY region;
