-- The lines that hold the term; Splunk scores them by rules that are not published, here the first so many are kept.
-- covers: abstract
-- query: search www | abstract maxlines=1
SELECT ts_text(ts) AS time, line.value AS abstract
  FROM device_log, json_each(regexp_extract_all(message, '(?m)^.*\bwww\b.*$')) AS line
 WHERE message REGEXP '\bwww\b' AND line.key < 1;
