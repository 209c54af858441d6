-- The same day of each week is a row, and each week a column.
-- covers: timewrap
-- query: timechart span=1d sum(quantity) AS sold | timewrap 1week
SELECT strftime('%w', ts / 1000, 'unixepoch') AS weekday,
       sum(quantity) FILTER (WHERE ts >= ts('2026-11-23')) AS latest_week,
       sum(quantity) FILTER (WHERE ts < ts('2026-11-23')) AS "1week_before"
  FROM orders
 WHERE ts >= ts('2026-11-16') AND ts < ts('2026-11-30')
 GROUP BY weekday
 ORDER BY weekday;
