-- The columns' sums are one more row.
-- covers: addcoltotals
-- query: stats count, sum(bytes) AS bytes BY host | addcoltotals labelfield=host label=Total
WITH by_host AS (SELECT host, count(*) AS count, sum(bytes) AS bytes FROM access_log GROUP BY host)
SELECT * FROM by_host
UNION ALL
SELECT 'Total', sum(count), sum(bytes) FROM by_host;
