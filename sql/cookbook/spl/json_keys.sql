-- json_each has key and value; json_group_array puts them together.
-- covers: json_keys(); json_entries()
-- query: eval k=json_keys(x), e=json_entries(x)
SELECT json_group_array(key) AS k, json_group_array(json_object('key', key, 'value', value)) AS e FROM json_each('{"a":1,"b":"two"}');
