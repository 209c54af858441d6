-- || of texts and numbers.
-- covers: eval . (concatenation)
-- query: eval line=method." ".path | table line | head 1
SELECT method || ' ' || path AS line FROM access_log ORDER BY ts LIMIT 1;
