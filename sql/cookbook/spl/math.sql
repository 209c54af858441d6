-- SQLite's own; ln is the natural logarithm, log that of ten, log(b, x) has the base first.
-- covers: abs(); ceiling(); ceil(); exp(); floor(); ln(); log(); pi(); pow(); round(); sqrt()
-- query: eval a=abs(-2), c=ceiling(1.2), e=exp(1), f=floor(1.8), n=ln(2), l=log(8, 2), p=pi(), w=pow(2, 10), r=round(2.567, 1), s=sqrt(2)
SELECT abs(-2) AS a, ceil(1.2) AS c, exp(1) AS e, floor(1.8) AS f, ln(2) AS n, log(2, 8) AS l, pi() AS p, pow(2, 10) AS w,
       round(2.567, 1) AS r, sqrt(2) AS s;
