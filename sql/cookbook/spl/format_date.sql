-- strftime has most of the signs; names of days and months are parts of a text.
-- covers: %d; %m; %Y; %F; %j; %w; %a; %b; %y; %e
-- query: eval day=strftime(_time, "%F %j %w %a %b %y %e")
WITH t(s) AS (SELECT ts('2026-11-03T09:05:07.250Z') / 1000.0)
SELECT strftime('%Y-%m-%d', s, 'unixepoch') AS F, strftime('%j', s, 'unixepoch') AS j, strftime('%w', s, 'unixepoch') AS w,
       substr('SunMonTueWedThuFriSat', 1 + 3 * strftime('%w', s, 'unixepoch'), 3) AS a,
       substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * strftime('%m', s, 'unixepoch') - 2, 3) AS b,
       substr(strftime('%Y', s, 'unixepoch'), 3) AS y, printf('%2d', strftime('%d', s, 'unixepoch')) AS e
  FROM t;
