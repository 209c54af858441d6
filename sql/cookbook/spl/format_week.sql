-- The ISO week is that of the week's Thursday; %U counts from the first Sunday.
-- covers: %V; %U
-- query: eval week=strftime(_time, "%V"), sundays=strftime(_time, "%U")
SELECT day, printf('%02d', (strftime('%j', thursday) - 1) / 7 + 1) AS week,
       printf('%02d', (strftime('%j', day) + 6 - strftime('%w', day)) / 7) AS sundays
  FROM (SELECT value AS day, date(value, '-3 days', 'weekday 4') AS thursday FROM json_each('["2026-11-23","2027-01-01","2027-01-04"]'));
