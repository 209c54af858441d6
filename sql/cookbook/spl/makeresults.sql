-- Rows from nothing: VALUES, or a recursive CTE for many.
-- covers: makeresults
-- query: | makeresults count=3 | streamstats count AS n
WITH RECURSIVE results(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM results WHERE n < 3)
SELECT n FROM results;
