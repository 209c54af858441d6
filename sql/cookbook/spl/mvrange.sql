-- A recursive CTE counts, json_group_array makes the list; the end is left out.
-- covers: mvrange()
-- query: eval mv=mvrange(1, 11, 3)
WITH RECURSIVE numbers(n) AS (VALUES (1) UNION ALL SELECT n + 3 FROM numbers WHERE n + 3 < 11)
SELECT json_group_array(n) AS mv FROM numbers;
