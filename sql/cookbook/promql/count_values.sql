-- The values become a label, their number the value.
-- covers: count_values
-- query: count_values("usage", cpu)
SELECT value AS usage, count(*) AS value FROM cpu_now GROUP BY value ORDER BY value;
