-- EXISTS over the elements.
-- covers: jsonArrayContains()
-- query: filter jsonArrayContains(m.tags, "retry") | stats count(*)
SELECT count(*) AS count FROM app_log
 WHERE json_valid(message) AND EXISTS (SELECT 1 FROM json_each(message, '$.tags') WHERE value = 'retry');
