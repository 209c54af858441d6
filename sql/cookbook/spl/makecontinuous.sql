-- generate_series has all steps of a range of numbers, gapfill those of times: a LEFT JOIN keeps the steps without rows.
-- covers: makecontinuous
-- query: bin bytes span=2048 | stats count BY bytes | makecontinuous bytes start=0 end=8192 span=2048 | fillnull count
WITH bins AS (SELECT bytes / 2048 * 2048 AS value, count(*) AS count FROM access_log GROUP BY 1)
SELECT value AS bytes, coalesce(count, 0) AS count FROM generate_series(0, 8192, 2048) LEFT JOIN bins USING (value) ORDER BY value;
