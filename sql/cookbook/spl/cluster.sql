-- Lines of one statement have one pattern: what varies in them is a placeholder.
-- covers: cluster
-- query: eval line=method." ".path." ".status." from ".client | cluster field=line showcount=t | table cluster_count, line
SELECT count(*) AS cluster_count, log_pattern(line) AS pattern, min(line) AS example
  FROM (SELECT method || ' ' || path || ' ' || status || ' from ' || client AS line FROM access_log)
 GROUP BY pattern
 ORDER BY cluster_count DESC, pattern;
