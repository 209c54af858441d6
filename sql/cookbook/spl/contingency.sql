-- A table of counts with its totals: FILTER for the columns, one more row for their sums.
-- covers: contingency; counttable; ctable
-- query: contingency host method
WITH counts AS (
  SELECT host, count(*) FILTER (WHERE method = 'GET') AS "GET", count(*) FILTER (WHERE method = 'POST') AS "POST", count(*) AS TOTAL
    FROM access_log GROUP BY host)
SELECT * FROM counts
UNION ALL
SELECT 'TOTAL', sum("GET"), sum("POST"), sum(TOTAL) FROM counts;
