-- Log groups are tables; several are put together by UNION ALL.
-- covers: SOURCE
-- query: SOURCE logGroups(namePrefix: [...]) | stats count(*) by @log
SELECT log, count(*) AS count
  FROM (SELECT 'access_log' AS log FROM access_log UNION ALL SELECT 'app_log' FROM app_log)
 GROUP BY log;
