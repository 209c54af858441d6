-- The conditions of a WHERE; like with text looks for a part of it, in with a list for one of them.
-- covers: filter; where; =; !=; <; <=; >; >=; and; or; not; in; like
-- query: filter status >= 400 and not (status = 404 or method != "GET") and path like "adm" and host in ["web1", "web2"]
--   | fields path, status
SELECT path, status FROM access_log
 WHERE status >= 400 AND NOT (status = 404 OR method <> 'GET') AND instr(path, 'adm') > 0 AND host IN ('web1', 'web2');
