-- The functions of the same names; deg() is degrees(), rad() is radians().
-- covers: sin(); cos(); tan(); asin(); acos(); atan(); sinh(); cosh(); tanh(); asinh(); acosh(); atanh(); deg(); rad(); pi()
-- query: sin(x) ... atanh(x), deg(x), rad(x), pi()    with x = 0.5, acosh of 1.5
SELECT sin(x) AS sin, cos(x) AS cos, tan(x) AS tan, asin(x) AS asin, acos(x) AS acos, atan(x) AS atan, sinh(x) AS sinh, cosh(x) AS cosh,
       tanh(x) AS tanh, asinh(x) AS asinh, acosh(x + 1) AS acosh, atanh(x) AS atanh, degrees(x) AS deg, radians(x) AS rad, pi() AS pi
  FROM (SELECT 0.5 AS x);
