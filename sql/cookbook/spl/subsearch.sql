-- IN (SELECT ...), or EXISTS.
-- covers: search: subsearch
-- query: search index=orders [search index=access status=500 | dedup user | fields user]
SELECT user, item, quantity FROM orders WHERE user IN (SELECT user FROM access_log WHERE status = 500) ORDER BY ts;
