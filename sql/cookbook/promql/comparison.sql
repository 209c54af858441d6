-- Without bool a comparison filters, and the left value stays: a WHERE.
-- covers: ==; != (values); >; <; >=; <=
-- query: cpu > 50, cpu >= 50, cpu < 65, cpu <= 65, cpu == 50, cpu != 50
SELECT 'cpu > 50' AS query, host, value FROM cpu_now WHERE value > 50
UNION ALL SELECT 'cpu >= 50', host, value FROM cpu_now WHERE value >= 50
UNION ALL SELECT 'cpu < 65', host, value FROM cpu_now WHERE value < 65
UNION ALL SELECT 'cpu <= 65', host, value FROM cpu_now WHERE value <= 65
UNION ALL SELECT 'cpu == 50', host, value FROM cpu_now WHERE value = 50
UNION ALL SELECT 'cpu != 50', host, value FROM cpu_now WHERE value <> 50;
