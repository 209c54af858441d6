-- Between the two values nearest to place q * (n - 1), counted from 0, it is interpolated: each is weighted by its nearness.
-- covers: quantile
-- query: quantile(0.75, cpu)
SELECT sum(value * max(0, 1 - abs(place - 0.75 * (n - 1)))) AS value
  FROM (SELECT value, row_number() OVER (ORDER BY value) - 1 AS place, count(*) OVER () AS n FROM cpu_now);
