-- A scalar is one value, or NULL (NaN) where there is not exactly one element; a vector of a scalar is one row.
-- covers: scalar(); vector()
-- query: scalar(cpu{host="web1"}), scalar(cpu), vector(1)
SELECT (SELECT CASE count(*) WHEN 1 THEN max(value) END FROM cpu_now WHERE host = 'web1') AS web1,
       (SELECT CASE count(*) WHEN 1 THEN max(value) END FROM cpu_now) AS "all", 1 AS vector;
