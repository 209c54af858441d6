-- A list is a JSON array already, its elements are rows by json_each.
-- covers: json_array_to_mv(); mv_to_json_array()
-- query: eval mv=json_array_to_mv("[\"a\", \"b\"]"), back=mv_to_json_array(mv)
SELECT value AS mv FROM json_each('["a", "b"]');
