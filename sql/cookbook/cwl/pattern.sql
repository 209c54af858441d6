-- Lines of one statement have one pattern: what varies in them is a placeholder.
-- covers: pattern
-- query: fields concat(method, " ", path, " ", status, " from ", client) as line | pattern line
SELECT log_pattern(line) AS pattern, count(*) AS count, round(1.0 * count(*) / sum(count(*)) OVER (), 3) AS ratio, min(line) AS sample
  FROM (SELECT method || ' ' || path || ' ' || status || ' from ' || client AS line FROM access_log)
 GROUP BY pattern
 ORDER BY count DESC, pattern;
