-- json_type tells what the text holds.
-- covers: isarray(); isobject(); isbool(); ismv()
-- query: eval a=isarray(x), o=isobject(x), b=isbool(x)
SELECT value AS x, json_type(value) = 'array' AS a, json_type(value) = 'object' AS o, json_type(value) IN ('true', 'false') AS b
  FROM json_each('["[1, 2]", "{}", "true", "7"]');
