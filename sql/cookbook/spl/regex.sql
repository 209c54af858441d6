-- The REGEXP operator, and NOT REGEXP for !=.
-- covers: regex; match()
-- query: regex message="^(WARN|ERROR) " | where NOT match(message, "disk")
SELECT message FROM app_log WHERE message REGEXP '^(WARN|ERROR) ' AND message NOT REGEXP 'disk' ORDER BY ts;
