-- The text between the fixed parts of the glob.
-- covers: parse (glob)
-- query: parse @message "job * took * s" as job, seconds | filter ispresent(job)
SELECT substr(rest, 1, instr(rest, ' took ') - 1) AS job,
       substr(rest, instr(rest, ' took ') + 6, instr(rest, ' s,') - instr(rest, ' took ') - 6) AS seconds
  FROM (SELECT substr(message, instr(message, 'job ') + 4) AS rest FROM app_log WHERE message GLOB '*job * took * s*');
