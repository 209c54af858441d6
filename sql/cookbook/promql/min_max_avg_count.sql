-- The aggregates of the same names.
-- covers: min; max; avg; count
-- query: min(cpu), max(cpu), avg(cpu), count(cpu)
SELECT min(value) AS min, max(value) AS max, avg(value) AS avg, count(*) AS count FROM cpu_now;
