-- The elements of both lists, one behind the other.
-- covers: mvappend()
-- query: eval mv=mvappend(mvappend("a", "b"), "c")
SELECT json_group_array(value) AS mv FROM (SELECT value FROM json_each('["a", "b"]') UNION ALL SELECT value FROM json_each('["c"]'));
