-- Hours of twelve are arithmetic; %f gives seconds with milliseconds.
-- covers: %H; %M; %S; %T; %I; %p; %k; %s; %Q; %N; %f; %X
-- query: eval text=strftime(_time, "%T %I %p %k %s %3N")
WITH t(s) AS (SELECT ts('2026-11-23T21:05:07.250Z') / 1000.0)
SELECT strftime('%H:%M:%S', s, 'unixepoch') AS T, printf('%02d', (strftime('%H', s, 'unixepoch') + 11) % 12 + 1) AS I,
       iif(strftime('%H', s, 'unixepoch') < '12', 'AM', 'PM') AS p, printf('%2d', strftime('%H', s, 'unixepoch')) AS k,
       strftime('%s', s, 'unixepoch') AS s, substr(strftime('%f', s, 'unixepoch'), 4) AS "3N"
  FROM t;
