-- Seconds since 1970 times 1,000 for a table of milliseconds.
-- covers: earliest=<epoch>
-- query: search index=access earliest=1795426200 | stats count
SELECT count(*) AS count FROM access_log WHERE ts >= 1795426200 * 1000;
