-- rate of a counter a second, resets heeded; over several series the sum or the average of their rates.
-- covers: stats rate(); stats rate_sum(); stats rate_avg()
-- query: | mstats rate_sum(http_requests_total) AS sum, rate_avg(http_requests_total) AS avg WHERE index=metrics span=5m
SELECT ts_text(time) AS time, round(sum(rate), 4) AS sum, round(avg(rate), 4) AS avg
  FROM (SELECT time_bucket('5m', ts) AS time, rate(value, ts) AS rate FROM http_requests_total GROUP BY 1, job, instance, method, code)
 GROUP BY time
 ORDER BY time;
