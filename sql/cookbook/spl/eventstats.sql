-- An aggregate OVER () stands beside each row.
-- covers: eventstats
-- query: eventstats avg(duration) AS mean BY host | where duration > 2 * mean | table host, path, duration, mean
SELECT host, path, duration_ms, round(mean, 1) AS mean
  FROM (SELECT *, avg(duration_ms) OVER (PARTITION BY host) AS mean FROM access_log)
 WHERE duration_ms > 2 * mean
 ORDER BY ts;
