-- generate_series counts, json_group_array makes the list; SPL leaves the end out, generate_series takes it in.
-- covers: mvrange()
-- query: eval mv=mvrange(1, 11, 3)
SELECT json_group_array(value) AS mv FROM generate_series(1, 11 - 1, 3);
