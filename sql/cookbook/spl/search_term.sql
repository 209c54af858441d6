-- A whole term stands between breaks: the text is padded with spaces, and so is the term. GLOB heeds case, as CASE() does.
-- covers: search: TERM(); search: CASE()
-- query: search index=app TERM(job) CASE(INFO)
SELECT message FROM app_log WHERE ' ' || message || ' ' GLOB '* job *' AND ' ' || message || ' ' GLOB '* INFO *' ORDER BY ts LIMIT 2;
