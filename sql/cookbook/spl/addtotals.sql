-- The row's sum is an expression.
-- covers: addtotals
-- query: chart count OVER host BY method | addtotals
SELECT host, count(*) FILTER (WHERE method = 'GET') AS "GET", count(*) FILTER (WHERE method = 'POST') AS "POST", count(*) AS Total
  FROM access_log
 GROUP BY host
 ORDER BY host;
