-- Splunk takes one of the values, the least that so many are not above (cume_dist); quantile goes linearly between two.
-- covers: stats median(); stats exactperc(); stats upperperc()
-- query: stats median(duration) AS median, exactperc90(duration) AS p90
SELECT median(duration_ms) AS median, quantile(duration_ms, 0.9) AS p90, min(duration_ms) FILTER (WHERE share >= 0.9) AS nearest
  FROM (SELECT duration_ms, cume_dist() OVER (ORDER BY duration_ms) AS share FROM access_log);
