-- SQLite writes UTC, so what tells the zone is a constant; a locale's format is written out.
-- covers: %Z; %z; %Ez; %c; %x; %+; %%
-- query: eval c=strftime(_time, "%c"), x=strftime(_time, "%x"), zone=strftime(_time, "%Z %z %Ez"), percent=strftime(_time, "%%")
WITH t(s) AS (SELECT ts('2026-11-23T09:05:07Z') / 1000),
     parts(s, day, month) AS (
  SELECT s, substr('SunMonTueWedThuFriSat', 1 + 3 * strftime('%w', s, 'unixepoch'), 3),
         substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * strftime('%m', s, 'unixepoch') - 2, 3) FROM t)
SELECT day || ' ' || month || strftime(' %d %H:%M:%S %Y', s, 'unixepoch') AS c, strftime('%m/%d/%Y', s, 'unixepoch') AS x,
       'UTC +0000 0' AS zone, strftime('%%', s, 'unixepoch') AS percent
  FROM parts;
