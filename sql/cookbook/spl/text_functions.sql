-- The same names, length for len; substr counts from 1 in both.
-- covers: len(); lower(); upper(); substr(); trim(); ltrim(); rtrim()
-- query: eval n=len(x), l=lower(x), u=upper(x), s=substr(x, 3, 2), rt=rtrim(x, "*"), lt=ltrim(x, "*"), t=trim(x, "* ")
SELECT length(x) AS n, lower(x) AS l, upper(x) AS u, substr(x, 3, 2) AS s, rtrim(x, '*') AS rt, ltrim(x, '*') AS lt, trim(x, '* ') AS t
  FROM (SELECT '* Log *' AS x);
