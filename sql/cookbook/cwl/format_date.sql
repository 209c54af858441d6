-- strftime takes the same letters; a ts is milliseconds, so it is divided for 'unixepoch'.
-- covers: formatDate()
-- query: fields formatDate(@timestamp, "%Y-%m-%d %H:%M", "UTC") as date | limit 1
SELECT strftime('%Y-%m-%d %H:%M', ts / 1000, 'unixepoch') AS date FROM access_log ORDER BY ts LIMIT 1;
