-- SQLite writes UTC, so the zone is a constant.
-- covers: %Z; %z; %Ez; %c; %x; %+; %%
-- query: eval text=strftime(_time, "%F %T %Z %:z")
SELECT strftime('%Y-%m-%d %H:%M:%S', ts / 1000, 'unixepoch') || ' UTC +00:00' AS text FROM access_log ORDER BY ts LIMIT 1;
