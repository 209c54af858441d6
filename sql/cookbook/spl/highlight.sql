-- Marks around the words; which colour they have is a page's.
-- covers: highlight
-- query: search stream=batch | highlight job, rows | head 2
SELECT regexp_replace(message, '(?i)\b(job|rows)\b', '**\1**', 'g') AS message FROM app_log WHERE stream = 'batch' ORDER BY ts LIMIT 2;
