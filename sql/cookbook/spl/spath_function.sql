-- A path into JSON.
-- covers: spath()
-- query: eval id=spath(message, "order.id") | where isnotnull(id) | stats count BY id
SELECT message ->> '$.order.id' AS id, count(*) AS count FROM app_log WHERE json_valid(message) AND id IS NOT NULL GROUP BY id;
