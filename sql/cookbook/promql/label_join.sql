-- Columns put together with ||.
-- covers: label_join()
-- query: label_join(cpu, "place", "/", "region", "host")
SELECT host, region, region || '/' || host AS place, value FROM cpu_now ORDER BY host;
