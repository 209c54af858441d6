-- UNION, INTERSECT, and for diff EXCEPT in both directions.
-- covers: set
-- query: | set intersect [search index=access | dedup user | fields user] [search index=orders | dedup user | fields user]
SELECT user FROM access_log WHERE status < 400
INTERSECT
SELECT user FROM orders WHERE ts >= ts('2026-11-23');
