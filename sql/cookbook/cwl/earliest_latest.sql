-- first and last go by the time, whatever the order of rows.
-- covers: earliest(); latest()
-- query: stats earliest(path), latest(path) by host
SELECT host, first(path, ts) AS earliest, last(path, ts) AS latest FROM access_log GROUP BY host ORDER BY host;
