-- The key of the first element that matches.
-- covers: mvfind()
-- query: eval n=mvfind(tags, "^re")
SELECT min(key) AS n FROM json_each('["card", "retry", "return"]') WHERE value REGEXP '^re';
