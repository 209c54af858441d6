-- round() of PromQL takes ties up, and rounds to multiples of its second argument: here 5.
-- covers: abs(); ceil(); floor(); sgn(); round()
-- query: abs(v), ceil(v), floor(v), sgn(v), round(v), round(v, 5)    with v = cpu - 60
SELECT host, abs(v) AS abs, ceil(v) AS ceil, floor(v) AS floor, sign(v) AS sgn, floor(v + 0.5) AS round, floor(v / 5 + 0.5) * 5 AS round_5
  FROM (SELECT host, value - 60 AS v FROM cpu_now)
 ORDER BY host;
