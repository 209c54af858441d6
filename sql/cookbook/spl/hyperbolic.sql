-- SQLite's own.
-- covers: acosh(); asinh(); atanh(); cosh(); sinh(); tanh()
-- query: eval a=acosh(2), b=asinh(1), c=atanh(0.5), d=cosh(1), e=sinh(1), f=tanh(1)
SELECT acosh(2) AS a, asinh(1) AS b, atanh(0.5) AS c, cosh(1) AS d, sinh(1) AS e, tanh(1) AS f;
