-- GLOB has the same asterisk and heeds case; lower() on both sides does not.
-- covers: search: wildcards
-- query: search index=access path="/C*t"
SELECT DISTINCT path FROM access_log WHERE lower(path) GLOB lower('/C*t') ORDER BY path;
