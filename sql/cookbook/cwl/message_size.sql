-- The length of a blob is its number of bytes.
-- covers: messageSize()
-- query: stats sum(messageSize(@message))
SELECT sum(length(CAST(message AS BLOB))) AS size FROM app_log;
