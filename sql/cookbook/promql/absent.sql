-- One row where there is no series, and else none; labels of equality matchers become its columns.
-- covers: absent()
-- query: absent(cpu{host="db1"})
SELECT 'db1' AS host, 1 AS value WHERE NOT EXISTS (SELECT * FROM cpu_now WHERE host = 'db1');
