-- The text that each asterisk stands for; NULL where the glob does not match.
-- covers: parse (glob)
-- query: parse @message "job * took * s," as job, seconds | filter ispresent(job)
SELECT parse_glob(message, 'job * took * s,', 1) AS job, parse_glob(message, 'job * took * s,', 2) AS seconds
  FROM app_log
 WHERE job IS NOT NULL
 ORDER BY ts;
