-- coalesce is the same; case and if are CASE, or iif.
-- covers: coalesce(); case(); if()
-- query: fields coalesce(user, "-"), if(status < 400, "ok", "failed"), case(status >= 500, "server", status >= 400, "client", "none")
SELECT DISTINCT coalesce(user, '-') AS user, iif(status < 400, 'ok', 'failed') AS result,
       CASE WHEN status >= 500 THEN 'server' WHEN status >= 400 THEN 'client' ELSE 'none' END AS fault
  FROM access_log
 WHERE status >= 400
 ORDER BY 1;
