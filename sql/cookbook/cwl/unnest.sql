-- One row for each element of the list, by json_each.
-- covers: unnest; expand
-- query: unnest m.tags into tag | stats count(*) by tag
SELECT tag.value AS tag, count(*) AS count
  FROM (SELECT message FROM app_log WHERE json_valid(message)), json_each(message, '$.tags') AS tag
 GROUP BY tag
 ORDER BY tag;
