-- typeof tells the type of a value; what is NULL is asked by IS NULL.
-- covers: isint(); isdouble(); isnum(); isstr(); isnull(); isnotnull(); typeof()
-- query: eval int=isint(x), dbl=isdouble(x), num=isnum(x), str=isstr(x), null=isnull(x), type=typeof(x)
SELECT typeof(x) = 'integer' AS int, typeof(x) = 'real' AS dbl, typeof(x) IN ('integer', 'real') AS num, typeof(x) = 'text' AS str,
       x IS NULL AS "null", x IS NOT NULL AS "notnull", typeof(x) AS type
  FROM (SELECT 7 AS x UNION ALL SELECT 0.5 UNION ALL SELECT 'a' UNION ALL SELECT NULL);
