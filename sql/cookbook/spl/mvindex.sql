-- [n] counts from 0, [#-1] is the last; a range is a condition on the key.
-- covers: mvindex()
-- query: eval first=mvindex(mv, 0), last=mvindex(mv, -1), some=mvindex(mv, 1, 2)
SELECT mv ->> '$[0]' AS first, mv ->> '$[#-1]' AS last,
       (SELECT json_group_array(value) FROM json_each(mv) WHERE key BETWEEN 1 AND 2) AS some
  FROM (SELECT '["a","b","c","d"]' AS mv);
