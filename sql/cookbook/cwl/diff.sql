-- The patterns of two ranges of equal length, each range counted apart.
-- covers: diff
-- query: fields concat(method, " ", path, " ", status, " from ", client) as line | diff
SELECT log_pattern(method || ' ' || path || ' ' || status || ' from ' || client) AS pattern,
       count(*) FILTER (WHERE ts >= ts('2026-11-23T09:30:00Z')) AS now, count(*) FILTER (WHERE ts < ts('2026-11-23T09:30:00Z')) AS before
  FROM access_log
 WHERE ts >= ts('2026-11-23T09:00:00Z') AND ts < ts('2026-11-23T10:00:00Z')
 GROUP BY pattern
 ORDER BY now - before DESC, pattern;
