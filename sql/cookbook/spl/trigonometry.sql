-- SQLite's own, in radians.
-- covers: acos(); asin(); atan(); atan2(); cos(); sin(); tan(); hypot()
-- query: eval a=acos(0), b=asin(1), c=atan(1), d=atan2(1, 2), e=cos(0), f=sin(1), g=tan(1), h=hypot(3, 4)
SELECT acos(0) AS a, asin(1) AS b, atan(1) AS c, atan2(1, 2) AS d, cos(0) AS e, sin(1) AS f, tan(1) AS g, sqrt(3 * 3 + 4 * 4) AS h;
