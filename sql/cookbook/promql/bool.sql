-- With bool a comparison is an expression, 0 or 1 in SQL too.
-- covers: bool
-- query: cpu > bool 60
SELECT host, region, value > 60 AS value FROM cpu_now ORDER BY host;
