-- strftime of the seconds.
-- covers: strftime()
-- query: eval hour=strftime(_time, "%d.%m.%Y %H:00") | stats count BY hour
SELECT strftime('%d.%m.%Y %H:00', ts / 1000, 'unixepoch') AS hour, count(*) AS count FROM access_log GROUP BY hour;
