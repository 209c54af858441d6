-- The same signs; texts are compared as SQLite's = does, which heeds case (COLLATE NOCASE does not).
-- covers: search: field=value; search: field!=value; search: <; search: <=; search: >; search: >=
-- query: search method="get" status!=200 status>400 status<=404 bytes>=256 duration<5
SELECT path, status FROM access_log
 WHERE method = 'get' COLLATE NOCASE AND status <> 200 AND status > 400 AND status <= 404 AND bytes >= 256 AND duration_ms < 5
 ORDER BY ts;
