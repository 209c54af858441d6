-- The functions have the names of the SQL standard.
-- covers: stats stdev(); stats stdevp(); stats var(); stats varp()
-- query: stats stdev(usage), stdevp(usage), var(usage), varp(usage) BY host
SELECT host, stddev_samp(usage) AS stdev, stddev_pop(usage) AS stdevp, var_samp(usage) AS var, var_pop(usage) AS varp
  FROM cpu
 GROUP BY host
 ORDER BY host;
