-- One regexp_extract for each group; NULL where the pattern does not match. Patterns are RE2's, much like Perl's.
-- covers: rex
-- query: rex "job (?<job>\d+) took (?<seconds>\d+) s" | where isnotnull(job) | table job, seconds
SELECT regexp_extract(message, 'job (\d+) took (\d+) s', 1) AS job, regexp_extract(message, 'job (\d+) took (\d+) s', 2) AS seconds
  FROM app_log
 WHERE job IS NOT NULL
 ORDER BY ts;
