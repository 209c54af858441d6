-- Buckets of a zone's calendar: days begin at its midnight.
-- covers: snap in a time zone
-- query: timechart span=1d sum(quantity) AS sold (user's zone America/New_York)
SELECT ts_text(time_bucket('1 day', ts, 'America/New_York')) AS day, sum(quantity) AS sold
  FROM orders
 WHERE ts >= ts('2026-11-22') AND ts < ts('2026-11-24')
 GROUP BY 1
 ORDER BY 1;
