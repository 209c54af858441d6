-- SQLite's modifiers; 'now' would stand for the time that is fixed here.
-- covers: relative time: -15m; relative time: now
-- query: search index=access earliest=-30m latest=now | stats count
SELECT count(*) AS count FROM access_log WHERE ts >= ts('2026-11-23T10:00:00Z', '-30 minutes') AND ts < ts('2026-11-23T10:00:00Z');
