-- generate_series has all steps of a range of numbers, gapfill those of times: a LEFT JOIN keeps the steps without rows.
-- covers: makecontinuous
-- query: bin bytes span=2048 | stats count BY bytes | makecontinuous bytes start=0 end=8192 span=2048 | fillnull count
SELECT step.value AS bytes, count(a.ts) AS count
  FROM generate_series(0, 8192, 2048) AS step LEFT JOIN access_log AS a ON a.bytes / 2048 * 2048 = step.value
 GROUP BY step.value
 ORDER BY step.value;
