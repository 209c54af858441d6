-- Elements of the same place by a join over the key.
-- covers: mvzip()
-- query: eval mv=mvzip(a, b, "=")
SELECT json_group_array(a.value || '=' || b.value) AS mv FROM json_each('["x", "y"]') AS a JOIN json_each('[1, 2]') AS b USING (key);
