-- Count, first and last time of each tag's value.
-- covers: metadata; metasearch
-- query: | metadata type=hosts index=access
SELECT host, count(*) AS totalCount, ts_text(min(ts)) AS firstTime, ts_text(max(ts)) AS lastTime
  FROM access_log
 GROUP BY host
 ORDER BY host;
