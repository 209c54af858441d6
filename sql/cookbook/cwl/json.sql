-- json_extract takes a path; a JSON text is a string that needs no conversion.
-- covers: jsonParse(); jsonStringify(); map and list access; ispresent(); jsonArraySize()
-- query: fields jsonParse(@message) as m | filter ispresent(m.order) | fields m.order.id, jsonStringify(m.tags), m.tags[0]
SELECT json_extract(message, '$.order.id') AS id, json_extract(message, '$.tags') AS tags, json_extract(message, '$.tags[0]') AS first,
       json_array_length(message, '$.tags') AS size
  FROM app_log
 WHERE json_valid(message) AND json_extract(message, '$.order') IS NOT NULL
 ORDER BY ts;
