-- coalesce and nullif are SQL's own.
-- covers: coalesce(); nullif()
-- query: eval who=coalesce(user, client), other=nullif(status, 200) | table who, other
SELECT coalesce(user, client) AS who, nullif(status, 200) AS other FROM access_log WHERE host = 'web2' ORDER BY ts LIMIT 3;
