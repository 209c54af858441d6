-- Metrics are rows like others.
-- covers: mstats
-- query: | mstats avg(usage) max(usage) WHERE region=eu span=5m BY host
SELECT ts_text(time_bucket('5m', ts)) AS time, host, avg(usage) AS avg, max(usage) AS max
  FROM cpu
 WHERE region = 'eu'
 GROUP BY 1, host
 ORDER BY 1, host;
