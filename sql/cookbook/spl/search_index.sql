-- An index or a source is a table, the default fields are columns and tags.
-- covers: search: index, source, sourcetype, host
-- query: search index=access host=web1 | stats count
SELECT count(*) AS count FROM access_log WHERE host = 'web1';
