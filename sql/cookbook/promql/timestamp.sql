-- The sample's time in seconds; time() is the time at which the query is evaluated.
-- covers: timestamp(); time()
-- query: timestamp(cpu), time() - timestamp(cpu)
SELECT host, ts / 1000.0 AS timestamp, (ts('2026-11-23T10:00:00Z') - ts) / 1000.0 AS age FROM cpu_now ORDER BY host;
