-- The line becomes a JSON array of its words, json_each makes rows of them, and the sign between key and value divides each.
-- covers: extract; kv
-- query: extract pairdelim=" " kvdelim="=" | table _time, user, action, took
WITH pairs AS (
  SELECT ts, substr(value, 1, instr(value, '=') - 1) AS key, substr(value, instr(value, '=') + 1) AS text
    FROM device_log, json_each('["' || replace(message, ' ', '","') || '"]') WHERE host = 'gate')
SELECT ts_text(ts) AS time, max(text) FILTER (WHERE key = 'user') AS user, max(text) FILTER (WHERE key = 'action') AS action,
       max(text) FILTER (WHERE key = 'took') AS took
  FROM pairs
 GROUP BY ts
 ORDER BY ts;
