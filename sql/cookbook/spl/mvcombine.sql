-- Rows that are equal but for one field become one with a list of its values.
-- covers: mvcombine
-- query: stats count BY host, status | fields - count | mvcombine delim="," status
SELECT host, json_group_array(status) AS status
  FROM (SELECT DISTINCT host, status FROM access_log ORDER BY host, status)
 GROUP BY host
 ORDER BY host;
