-- ORDER BY the value, which a result has as long as nothing else sorts it.
-- covers: sort(); sort_desc()
-- query: sort_desc(cpu)
SELECT host, region, value FROM cpu_now ORDER BY value DESC;
