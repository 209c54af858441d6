-- Two bounds on the time column: only the files of that range are read.
-- covers: earliest; latest; timeformat
-- query: search index=access earliest="11/23/2026:09:30:00" latest="11/23/2026:09:45:00" | stats count
SELECT count(*) AS count FROM access_log WHERE ts >= ts('2026-11-23T09:30:00Z') AND ts < ts('2026-11-23T09:45:00Z');
