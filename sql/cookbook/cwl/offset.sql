-- The bin is moved by adding to the time.
-- covers: offset
-- query: stats count(*) by bin(30m) offset 1d
SELECT ts_text(time_bucket('30m', ts) + duration('1d')) AS bin, count(*) AS count FROM access_log GROUP BY bin ORDER BY bin;
