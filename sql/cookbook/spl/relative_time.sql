-- Modifiers of ts; a ts that is a column is written as seconds with 'unixepoch'.
-- covers: relative_time()
-- query: eval yesterday=relative_time(_time, "-1d@d") | table yesterday | head 1
SELECT ts_text(ts(ts / 1000.0, 'unixepoch', '-1 day', 'start of day')) AS yesterday FROM access_log ORDER BY ts LIMIT 1;
