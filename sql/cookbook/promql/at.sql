-- The selector at a time of its own: 1795427640 is 2026-11-23T09:54:00Z.
-- covers: @
-- query: cpu @ 1795427640
SELECT host, region, usage AS value, max(ts) AS ts
  FROM cpu
 WHERE ts > ts(1795427640, 'unixepoch', '-5 minutes') AND ts <= ts(1795427640, 'unixepoch')
 GROUP BY host, region
 ORDER BY host;
