-- The first k of each group by value, with all their labels.
-- covers: topk; bottomk
-- query: topk by (region) (1, cpu), bottomk(2, cpu)
SELECT region, host, value
  FROM (SELECT *, row_number() OVER (PARTITION BY region ORDER BY value DESC) AS place FROM cpu_now)
 WHERE place <= 1
 ORDER BY region;
SELECT region, host, value FROM cpu_now ORDER BY value LIMIT 2;
