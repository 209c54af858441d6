-- One element of value 1 for each series with a sample in the range.
-- covers: present_over_time()
-- query: present_over_time(cpu[10m])
SELECT DISTINCT host, region, 1 AS value FROM cpu
 WHERE ts > ts('2026-11-23T10:00:00Z', '-10 minutes') AND ts <= ts('2026-11-23T10:00:00Z')
 ORDER BY host;
