-- replace makes a JSON array of a list whose elements need no quoting themselves; its elements are read by ->>.
-- covers: split()
-- query: fields split(path, "/") as parts, parts[1] as first | limit 3
SELECT parts, parts ->> 1 AS first
  FROM (SELECT ts, '["' || replace(path, '/', '","') || '"]' AS parts FROM access_log WHERE path <> '/')
 ORDER BY ts LIMIT 3;
