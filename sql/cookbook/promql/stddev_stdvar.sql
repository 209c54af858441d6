-- The deviation of the population, not of a sample.
-- covers: stddev; stdvar
-- query: stddev by (region) (cpu), stdvar by (region) (cpu)
SELECT region, stddev_pop(value) AS stddev, var_pop(value) AS stdvar FROM cpu_now GROUP BY region ORDER BY region;
