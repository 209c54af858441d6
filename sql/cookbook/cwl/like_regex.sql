-- The REGEXP operator.
-- covers: like with a regex
-- query: filter @message like /(?i)error|disk/ | stats count(*)
SELECT count(*) AS count FROM app_log WHERE message REGEXP '(?i)error|disk';
