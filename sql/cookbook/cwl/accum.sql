-- Window functions over the rows in their order.
-- covers: accum; autoregress
-- query: sort @timestamp | accum bytes as total | autoregress bytes as previous
SELECT ts_text(ts) AS time, bytes, sum(bytes) OVER (ORDER BY ts) AS total, lag(bytes) OVER (ORDER BY ts) AS previous
  FROM access_log
 WHERE host = 'web1'
 ORDER BY ts;
