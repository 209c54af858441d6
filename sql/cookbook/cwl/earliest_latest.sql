-- With min(ts) or max(ts), SQLite takes the other columns from that row.
-- covers: earliest(); latest()
-- query: stats earliest(path) by host ... stats latest(path) by host
SELECT host, path AS earliest, min(ts) AS ts FROM access_log GROUP BY host ORDER BY host;
SELECT host, path AS latest, max(ts) AS ts FROM access_log GROUP BY host ORDER BY host;
