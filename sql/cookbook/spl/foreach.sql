-- SQL names its columns, so the expression is written once for each; over the elements of a list json_each is the loop.
-- covers: foreach
-- query: foreach mode=json_array numbers [eval total=total + <<ITEM>>]
SELECT numbers, (SELECT sum(value) FROM json_each(numbers)) AS total
  FROM (SELECT '[1,2,3]' AS numbers UNION ALL SELECT '[10,20]');
