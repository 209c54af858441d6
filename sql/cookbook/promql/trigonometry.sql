-- The functions of the same names; deg() is degrees(), rad() is radians().
-- covers: sin(); cos(); tan(); asin(); acos(); atan(); sinh(); cosh(); tanh(); asinh(); acosh(); atanh(); deg(); rad(); pi()
-- query: sin(vector(0.5)), cos(vector(0.5)), tan(vector(0.5)), asin(vector(0.5)), acos(vector(0.5)),
--   atan(vector(0.5)), sinh(vector(0.5)), cosh(vector(0.5)), tanh(vector(0.5)), asinh(vector(0.5)),
--   acosh(vector(1.5)), atanh(vector(0.5)), deg(vector(0.5)), rad(vector(0.5)), pi()
SELECT sin(x) AS sin, cos(x) AS cos, tan(x) AS tan, asin(x) AS asin, acos(x) AS acos, atan(x) AS atan, sinh(x) AS sinh, cosh(x) AS cosh,
       tanh(x) AS tanh, asinh(x) AS asinh, acosh(x + 1) AS acosh, atanh(x) AS atanh, degrees(x) AS deg, radians(x) AS rad, pi() AS pi
  FROM (SELECT 0.5 AS x);
