-- An expression for each element.
-- covers: mvmap()
-- query: eval mv=mvmap(mv, mv * 10)
SELECT json_group_array(value * 10) AS mv FROM json_each('[1, 2, 3]');
