-- The population's variance is the mean square of the distances from the mean.
-- covers: stddev; stdvar
-- query: stddev(cpu), stdvar(cpu)
SELECT sqrt(avg(pow(value - mean, 2))) AS stddev, avg(pow(value - mean, 2)) AS stdvar
  FROM cpu_now, (SELECT avg(value) AS mean FROM cpu_now);
