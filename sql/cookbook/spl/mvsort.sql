-- ORDER BY the element.
-- covers: mvsort()
-- query: eval mv=mvsort(mv)
SELECT json_group_array(value) AS mv FROM (SELECT value FROM json_each('["b", "c", "a"]') ORDER BY value);
