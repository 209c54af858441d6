-- group_concat of the elements.
-- covers: mvjoin()
-- query: eval text=mvjoin(mv, "; ")
SELECT group_concat(value, '; ') AS text FROM json_each('["a", "b", "c"]');
