-- Comments begin with two dashes instead of #.
-- covers: comments
-- query: max(cpu)  # a comment
SELECT max(value) AS value FROM cpu_now  -- a comment
;
