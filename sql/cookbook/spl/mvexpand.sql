-- One row for each element of the list.
-- covers: mvexpand
-- query: spath path=tags{} output=tag | mvexpand tag | table _time, tag
SELECT ts_text(ts) AS time, tag.value AS tag
  FROM (SELECT ts, message FROM app_log WHERE json_valid(message)), json_each(message, '$.tags') AS tag
 ORDER BY ts, tag;
