-- DISTINCT elements.
-- covers: mvdedup()
-- query: eval mv=mvdedup(split("b,a,b", ","))
SELECT json_group_array(value) AS mv FROM (SELECT value FROM json_each('["b", "a", "b"]') GROUP BY value ORDER BY min(key));
