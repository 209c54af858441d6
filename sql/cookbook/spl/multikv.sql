-- Lines, then words: json_each over the text made into a JSON array, twice; the first line holds the names.
-- covers: multikv
-- query: multikv fields PID USER MEM | table PID, USER, MEM
WITH lines AS (
  SELECT line.key AS n, '["' || replace(line.value, ' ', '","') || '"]' AS words
    FROM (SELECT message FROM device_log WHERE message GLOB 'PID *') AS log,
         json_each('["' || replace(message, char(10), '","') || '"]') AS line)
SELECT words ->> 0 AS PID, words ->> 1 AS USER, words ->> 2 AS MEM FROM lines WHERE n > 0;
