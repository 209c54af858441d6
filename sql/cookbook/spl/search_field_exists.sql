-- A field that is there is not NULL.
-- covers: search: field=*; search: NOT field=*
-- query: search user=* | stats count BY host
SELECT host, count(*) AS count FROM access_log WHERE user IS NOT NULL GROUP BY host;
