-- Positions count from 1 in SQL and from 0 in Logs Insights.
-- covers: concat(); ltrim(); rtrim(); trim(); strlen(); toupper(); tolower(); substr(); replace(); strcontains(); startsWith(); endsWith()
-- query: fields concat("a", "b"), ltrim("xyZfoo", "xyZ"), strlen("foo"), substr("xyZfooxyZ", 3, 3), replace("a-b", "-", "+") ...
SELECT 'a' || 'b' AS concat, ltrim('xyZfoo', 'xyZ') AS ltrim, rtrim('fooxyZ', 'xyZ') AS rtrim, trim(' foo ') AS trim,
       length('foo') AS strlen, upper('foo') AS toupper, lower('FOO') AS tolower, substr('xyZfooxyZ', 4, 3) AS substr,
       replace('a-b', '-', '+') AS replace, instr('foobar', 'oba') > 0 AS strcontains, substr('foobar', 1, 3) = 'foo' AS starts_with,
       substr('foobar', -3) = 'bar' AS ends_with;
