-- Hours of twelve are arithmetic; %f gives seconds with milliseconds, of which %Q and %N are the digits behind the point.
-- covers: %H; %M; %S; %T; %I; %p; %k; %s; %Q; %N; %f; %X
-- query: eval clock=strftime(_time, "%T"), twelve=strftime(_time, "%I %p"), k=strftime(_time, "%k"), s=strftime(_time, "%s.%Q %6N")
WITH t(s) AS (SELECT ts('2026-11-23T21:05:07.250Z') / 1000.0)
SELECT strftime('%H:%M:%S', s, 'unixepoch') AS clock,
       printf('%02d', (strftime('%H', s, 'unixepoch') + 11) % 12 + 1) || iif(strftime('%H', s, 'unixepoch') < '12', ' AM', ' PM') AS twelve,
       printf('%2d', strftime('%H', s, 'unixepoch')) AS k,
       strftime('%s.', s, 'unixepoch') || substr(strftime('%f', s, 'unixepoch'), 4) || printf(' %06d', round((s - floor(s)) * 1000000)) AS s
  FROM t;
