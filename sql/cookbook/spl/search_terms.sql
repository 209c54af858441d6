-- A word or phrase anywhere in the event, in any case: LIKE. Terms beside each other mean AND.
-- covers: search: keyword; search: phrase; search: implied AND
-- query: search index=app error "payment"
SELECT ts_text(ts) AS time, substr(message, 1, 34) AS begins FROM app_log
 WHERE message LIKE '%error%' AND message LIKE '%payment%'
 ORDER BY ts;
