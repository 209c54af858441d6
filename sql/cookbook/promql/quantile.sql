-- Linear between the two values nearest to the place, as Prometheus has it.
-- covers: quantile
-- query: quantile by (region) (0.75, cpu)
SELECT region, quantile(value, 0.75) AS value FROM cpu_now GROUP BY region ORDER BY region;
