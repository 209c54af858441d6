-- Comments begin with two dashes instead of #.
-- covers: comments
-- query: stats count(*)  # all events
SELECT count(*) AS count FROM access_log  -- all events
;
