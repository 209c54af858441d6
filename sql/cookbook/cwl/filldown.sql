-- locf is the last value that was there; ORDER BY says in which order, PARTITION BY keeps series apart.
-- covers: filldown
-- query: sort @timestamp | filldown user
SELECT ts_text(ts) AS time, locf(user) OVER (ORDER BY ts) AS user FROM access_log WHERE host = 'web2' ORDER BY ts;
