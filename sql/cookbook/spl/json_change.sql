-- json_set and json_remove; a key with dots is put into quotes.
-- covers: json_set(); json_set_exact(); json_delete()
-- query: eval s=json_set(x, "a.b", 2), e=json_set_exact(x, "c.d", 3), d=json_delete(x, "a")
SELECT json_set(x, '$.a.b', 2) AS s, json_set(x, '$."c.d"', 3) AS e, json_remove(x, '$.a') AS d FROM (SELECT '{"a":{"b":1}}' AS x);
