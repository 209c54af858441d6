-- Names, addresses and numbers are replaced; a hash in their place keeps equal ones equal.
-- covers: scrub
-- query: scrub | table message | head 2
SELECT regexp_replace(regexp_replace(message, '\w+@[\w.]+', 'user@example', 'g'), '\d+', '0', 'g') AS message
  FROM app_log
 WHERE stream = 'batch'
 ORDER BY ts LIMIT 2;
