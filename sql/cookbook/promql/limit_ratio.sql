-- A fixed share of the series; which ones, Prometheus decides by a hash of the labels, this by their order.
-- covers: limit_ratio
-- query: limit_ratio(0.34, cpu)
SELECT host, region, value
  FROM (SELECT *, row_number() OVER (ORDER BY host, region) AS place, count(*) OVER () AS series FROM cpu_now)
 WHERE place <= 0.34 * series;
