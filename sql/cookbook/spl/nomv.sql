-- The list as one text.
-- covers: nomv
-- query: nomv tags
SELECT ts_text(ts) AS time, (SELECT group_concat(value, ' ') FROM json_each(message, '$.tags')) AS tags
  FROM app_log
 WHERE json_valid(message) AND json_array_length(message, '$.tags') > 0
 ORDER BY ts;
