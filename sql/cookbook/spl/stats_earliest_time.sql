-- The least and the greatest time, in seconds.
-- covers: stats earliest_time(); stats latest_time()
-- query: stats earliest_time(path) AS earliest, latest_time(path) AS latest BY host
SELECT host, min(ts) / 1000 AS earliest, max(ts) / 1000 AS latest FROM access_log WHERE path IS NOT NULL GROUP BY host ORDER BY host;
