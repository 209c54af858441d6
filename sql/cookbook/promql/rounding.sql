-- round() of PromQL takes ties up, and rounds to multiples of its second argument: here 5.
-- covers: abs(); ceil(); floor(); sgn(); round()
-- query: abs(cpu - 60), ceil(cpu - 60), floor(cpu - 60), sgn(cpu - 60), round(cpu - 60), round(cpu - 60, 5)
SELECT host, abs(v) AS abs, ceil(v) AS ceil, floor(v) AS floor, sign(v) AS sgn, floor(v + 0.5) AS round, floor(v / 5 + 0.5) * 5 AS round_5
  FROM (SELECT host, value - 60 AS v FROM cpu_now)
 ORDER BY host;
