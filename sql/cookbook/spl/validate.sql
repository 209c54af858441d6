-- CASE with the conditions turned round: the first that fails gives its text, NULL if none does.
-- covers: validate()
-- query: eval problem=validate(bytes>0, "empty", duration<1000, "slow", status<500, "failed") | where isnotnull(problem)
SELECT path, problem
  FROM (SELECT ts, path, CASE WHEN NOT bytes > 0 THEN 'empty' WHEN NOT duration_ms < 1000 THEN 'slow'
                              WHEN NOT status < 500 THEN 'failed' END AS problem FROM access_log)
 WHERE problem IS NOT NULL
 ORDER BY ts;
