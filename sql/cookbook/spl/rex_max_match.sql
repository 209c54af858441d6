-- All matches as a list.
-- covers: rex max_match=
-- query: rex max_match=0 "(?<number>\d+)" | where stream="batch" | table number
SELECT regexp_extract_all(message, '\d+') AS number FROM app_log WHERE stream = 'batch' ORDER BY ts LIMIT 3;
