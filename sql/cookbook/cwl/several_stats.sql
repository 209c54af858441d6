-- A subquery for each stats command but the last.
-- covers: several stats commands; subqueries
-- query: stats count(*) as requests by client | stats max(requests), avg(requests)
SELECT max(requests) AS max, avg(requests) AS avg FROM (SELECT count(*) AS requests FROM access_log GROUP BY client);
