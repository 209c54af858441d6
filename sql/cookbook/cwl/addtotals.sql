-- The row's sum is an expression; the columns' sums are one more row.
-- covers: addtotals
-- query: fields status, bytes | addtotals col=true | limit 2
WITH rows AS (SELECT status, bytes FROM access_log ORDER BY ts LIMIT 2)
SELECT status, bytes, status + bytes AS Total FROM rows
UNION ALL
SELECT sum(status), sum(bytes), sum(status + bytes) FROM rows;
