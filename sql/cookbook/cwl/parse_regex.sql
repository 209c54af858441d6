-- One regexp_extract for each group; NULL where the pattern does not match.
-- covers: parse (regex)
-- query: parse @message /(?<level>[A-Z]+) job (?<job>\d+)/ | filter ispresent(job) | stats count(*) by level
SELECT regexp_extract(message, '([A-Z]+) job (\d+)', 1) AS level, count(*) AS count
  FROM app_log
 WHERE level IS NOT NULL
 GROUP BY level
 ORDER BY level;
