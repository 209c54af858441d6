-- strftime in UTC; a ts is milliseconds, so it is divided for 'unixepoch'.
-- covers: year(); month(); day_of_month(); day_of_week(); day_of_year(); days_in_month(); hour(); minute()
-- query: year(timestamp(cpu{host="web1"})), month(timestamp(cpu{host="web1"})), day_of_month(timestamp(cpu{host="web1"})),
--   day_of_week(timestamp(cpu{host="web1"})), day_of_year(timestamp(cpu{host="web1"})), days_in_month(timestamp(cpu{host="web1"})),
--   hour(timestamp(cpu{host="web1"})), minute(timestamp(cpu{host="web1"}))
SELECT CAST(strftime('%Y', t, 'unixepoch') AS INTEGER) AS year, CAST(strftime('%m', t, 'unixepoch') AS INTEGER) AS month,
       CAST(strftime('%d', t, 'unixepoch') AS INTEGER) AS day_of_month, CAST(strftime('%w', t, 'unixepoch') AS INTEGER) AS day_of_week,
       CAST(strftime('%j', t, 'unixepoch') AS INTEGER) AS day_of_year,
       CAST(strftime('%d', t, 'unixepoch', 'start of month', '+1 month', '-1 day') AS INTEGER) AS days_in_month,
       CAST(strftime('%H', t, 'unixepoch') AS INTEGER) AS hour, CAST(strftime('%M', t, 'unixepoch') AS INTEGER) AS minute
  FROM (SELECT ts / 1000 AS t FROM cpu_now WHERE host = 'web1');
