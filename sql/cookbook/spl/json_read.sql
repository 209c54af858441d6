-- ->> gives a value, -> gives JSON; a key with dots is put into quotes.
-- covers: json_extract(); json_extract_exact(); json_has_key_exact(); json_valid()
-- query: eval v=json_extract(x, "a.b"), l=json_extract(x, "list{1}"), e=json_extract_exact(x, "c.d"), h=json_has_key_exact(x, "c.d")
SELECT x ->> '$.a.b' AS v, x ->> '$.list[1]' AS l, x ->> '$."c.d"' AS e, json_type(x, '$."c.d"') IS NOT NULL AS h, json_valid(x) AS valid
  FROM (SELECT '{"a":{"b":1},"c.d":2,"list":[10,20]}' AS x);
