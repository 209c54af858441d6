-- A list is a JSON array; with commas between its elements, replace makes one.
-- covers: makemv
-- query: makemv delim="," tags
SELECT tags, json('["' || replace(tags, ',', '","') || '"]') AS list FROM (SELECT 'card,retry,eu' AS tags);
