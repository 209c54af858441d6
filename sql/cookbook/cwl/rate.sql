-- delta over the bin by the bin's seconds, times the interval; rate() is the same for counters that restart.
-- covers: rate()
-- query: stats rate(usage, 1m) by bin(5m)
SELECT ts_text(time_bucket('5m', ts)) AS bin, delta(usage, ts) / (max(ts) - min(ts)) * duration('1m') AS rate
  FROM cpu
 WHERE host = 'web1'
 GROUP BY bin
 ORDER BY bin;
