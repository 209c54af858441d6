-- A bucket a row, and a column for each value of BY.
-- covers: timechart
-- query: timechart span=30m count BY host
SELECT ts_text(time_bucket('30m', ts)) AS time, count(*) FILTER (WHERE host = 'web1') AS web1, count(*) FILTER (WHERE host = 'web2') AS web2
  FROM access_log
 GROUP BY 1
 ORDER BY 1;
