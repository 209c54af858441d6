-- The newest row of each value.
-- covers: dedup
-- query: fields host, client, path | sort @timestamp desc | dedup host
SELECT host, client, path, max(ts) AS ts FROM access_log GROUP BY host ORDER BY ts DESC;
