-- SPL binds OR tighter than AND in a search, SQL does not: the parentheses are needed.
-- covers: search: AND; search: OR; search: NOT; search: parentheses
-- query: search host=web2 status=403 OR status=404 NOT path="/admin"
SELECT path, status FROM access_log WHERE host = 'web2' AND (status = 403 OR status = 404) AND NOT path = '/admin' ORDER BY ts;
