-- Any k of each group.
-- covers: limitk
-- query: limitk by (region) (1, cpu)
SELECT region, host, value
  FROM (SELECT *, row_number() OVER (PARTITION BY region ORDER BY host) AS place FROM cpu_now)
 WHERE place <= 1
 ORDER BY region;
