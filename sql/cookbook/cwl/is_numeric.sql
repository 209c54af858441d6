-- A number reads back as the same text; text that is none becomes 0.
-- covers: isNumeric()
-- query: fields value, isNumeric(value) as numeric
SELECT value, value = CAST(value AS NUMERIC) || '' AS numeric FROM json_each('["42", "4.5", "4x", ""]');
