-- regexp_replace with 'g' for all matches; \1 is the first group.
-- covers: rex mode=sed
-- query: rex mode=sed "s/(\w+)@\S+/\1/g" | table message
SELECT regexp_replace(message, '(\w+)@\S+', '\1', 'g') AS message FROM app_log WHERE message LIKE '%started by%' ORDER BY ts;
