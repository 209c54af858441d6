-- $.tags[#] is the place behind the last; an array as one element by json(), its elements one by one with json_extend.
-- covers: json_append(); json_extend()
-- query: eval a=json_append(x, "tags", "b"), e=json_extend(x, "tags", json_array("b", "c"))
SELECT json_insert(x, '$.tags[#]', 'b') AS a, json_insert(x, '$.tags[#]', 'b', '$.tags[#]', 'c') AS e FROM (SELECT '{"tags":["a"]}' AS x);
