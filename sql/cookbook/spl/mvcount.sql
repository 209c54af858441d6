-- The length of the array.
-- covers: mvcount()
-- query: eval n=mvcount(tags) | table n
SELECT json_array_length(message, '$.tags') AS n FROM app_log WHERE message GLOB '*tags*' ORDER BY ts;
