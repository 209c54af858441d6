-- WHERE with any expression, also between two columns.
-- covers: where
-- query: stats avg(usage) AS mean, max(usage) AS peak BY host | where peak > mean * 1.4
SELECT host, avg(usage) AS mean, max(usage) AS peak FROM cpu GROUP BY host HAVING peak > mean * 1.4;
