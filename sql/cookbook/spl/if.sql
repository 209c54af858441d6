-- iif, or CASE.
-- covers: if()
-- query: eval result=if(status<400, "ok", "failed") | stats count BY result
SELECT iif(status < 400, 'ok', 'failed') AS result, count(*) AS count FROM access_log GROUP BY result ORDER BY result;
