-- The unit is the last letter; a CASE turns it into a factor.
-- covers: convert memk()
-- query: convert memk(size)
SELECT size, CAST(size AS REAL) * CASE upper(substr(size, -1)) WHEN 'M' THEN 1024 WHEN 'G' THEN 1048576 ELSE 1 END AS kb
  FROM (SELECT value AS size FROM json_each('["512k", "1.5m", "2g", "64"]'));
