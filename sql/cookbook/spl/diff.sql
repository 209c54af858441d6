-- What the two events do not share, key by key: EXCEPT in both directions.
-- covers: diff
-- query: search payment | sort _time | diff position1=1 position2=3 attribute=message
WITH events AS (SELECT message, row_number() OVER (ORDER BY ts) AS n FROM app_log WHERE message GLOB '*payment*'),
     leaves AS (SELECT n, fullkey, atom FROM events, json_tree(message) WHERE atom IS NOT NULL)
SELECT * FROM (SELECT '-' AS "only", fullkey, atom FROM leaves WHERE n = 1
               EXCEPT SELECT '-', fullkey, atom FROM leaves WHERE n = 3)
UNION ALL
SELECT * FROM (SELECT '+', fullkey, atom FROM leaves WHERE n = 3
               EXCEPT SELECT '+', fullkey, atom FROM leaves WHERE n = 1);
