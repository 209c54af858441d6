-- Metrics are tables, so a regex over names is a UNION ALL of those meant.
-- covers: {__name__=~"..."}
-- query: {__name__=~"cpu|cpu_limit", host="web1"}
SELECT 'cpu' AS name, host, value FROM cpu_now WHERE host = 'web1'
UNION ALL
SELECT 'cpu_limit', host, value FROM cpu_limit_now WHERE host = 'web1';
