-- One row where the range has no sample.
-- covers: absent_over_time()
-- query: absent_over_time(cpu{host="db1"}[5m])
SELECT 'db1' AS host, 1 AS value
 WHERE NOT EXISTS (SELECT * FROM cpu WHERE host = 'db1' AND ts > ts('2026-11-23T10:00:00Z', '-5 minutes')
                                       AND ts <= ts('2026-11-23T10:00:00Z'));
