-- list keeps all values in their order, values the distinct ones sorted: the order is that of the subquery.
-- covers: stats list(); stats values()
-- query: stats list(status) AS list, values(status) AS values BY host
SELECT host, json_group_array(status) AS list FROM (SELECT host, status FROM access_log ORDER BY host, ts) GROUP BY host;
SELECT host, json_group_array(DISTINCT status) AS "values" FROM (SELECT host, status FROM access_log ORDER BY host, status) GROUP BY host;
