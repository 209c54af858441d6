-- WHERE over the elements.
-- covers: mvfilter()
-- query: eval mv=mvfilter(mv > 2)
SELECT json_group_array(value) AS mv FROM json_each('[1, 2, 3, 4]') WHERE value > 2;
