-- A ts is milliseconds already; ts_text shows it as a time.
-- covers: toMillis(); fromMillis()
-- query: fields toMillis(@timestamp), fromMillis(1795424401000) | limit 1
SELECT ts AS millis, ts_text(1795424401000) AS time FROM access_log ORDER BY ts LIMIT 1;
