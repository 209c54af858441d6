-- CASE WHEN; true() at the end is ELSE.
-- covers: case(); true(); false(); null()
-- query: eval class=case(status<300, "ok", status<500, "client", true(), "server"), none=null() | stats count BY class
SELECT CASE WHEN status < 300 THEN 'ok' WHEN status < 500 THEN 'client' ELSE 'server' END AS class, count(*) AS count
  FROM access_log
 GROUP BY class
 ORDER BY class;
