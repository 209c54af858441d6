-- list keeps all values in order, values the distinct ones sorted.
-- covers: stats list(); stats values()
-- query: stats list(status) AS list, values(status) AS values BY host
SELECT host, json_group_array(status) AS list,
       (SELECT json_group_array(status)
          FROM (SELECT DISTINCT status FROM access_log AS b WHERE b.host = a.host ORDER BY status)) AS "values"
  FROM (SELECT host, status FROM access_log ORDER BY host, ts) AS a
 GROUP BY host
 ORDER BY host;
