-- LIKE with the same % and _; SQLite's does not heed the case of ASCII letters, GLOB does.
-- covers: eval LIKE; like()
-- query: where path LIKE "/item/%" OR like(path, "/ca_t")
SELECT DISTINCT path FROM access_log WHERE path LIKE '/item/%' OR path LIKE '/ca_t' ORDER BY path;
