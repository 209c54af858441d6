-- The text between a tag's beginning and its end, for each tag of interest.
-- covers: xmlkv
-- query: xmlkv | where isnotnull(total) | table user, total
SELECT regexp_extract(message, '<user>([^<]*)</user>', 1) AS user, regexp_extract(message, '<total>([^<]*)</total>', 1) AS total
  FROM device_log
 WHERE total IS NOT NULL;
