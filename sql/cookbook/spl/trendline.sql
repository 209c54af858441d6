-- sma is an average over the last rows, wma weighs the newest most; before there are enough rows it is NULL.
-- covers: trendline sma; trendline wma
-- query: sort _time | trendline sma3(usage) AS sma wma3(usage) AS wma | table _time, usage, sma, wma | head 5
SELECT ts_text(ts) AS time, usage, CASE WHEN n >= 3 THEN round(sma, 3) END AS sma, round((usage * 3 + before * 2 + earlier) / 6, 3) AS wma
  FROM (SELECT ts, usage, row_number() OVER w AS n, avg(usage) OVER (w ROWS 2 PRECEDING) AS sma, lag(usage) OVER w AS before,
               lag(usage, 2) OVER w AS earlier
          FROM cpu WHERE host = 'web2' WINDOW w AS (ORDER BY ts))
 ORDER BY ts LIMIT 5;
