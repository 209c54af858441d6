-- The terms of the events and how often each occurs.
-- covers: walklex
-- query: | walklex index=app type=term | stats sum(count) AS count BY term | sort -count | head 4
SELECT word.value AS term, count(*) AS count
  FROM (SELECT message FROM app_log), json_each(regexp_extract_all(message, '\w+')) AS word
 GROUP BY term
 ORDER BY count DESC, term LIMIT 4;
