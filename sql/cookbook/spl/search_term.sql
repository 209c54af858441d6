-- A whole term, by \b at both ends of a regular expression, which heeds case as CASE() does.
-- covers: search: TERM(); search: CASE()
-- query: search index=app TERM(job) CASE(INFO)
SELECT message FROM app_log WHERE message REGEXP '\bjob\b' AND message REGEXP '\bINFO\b' ORDER BY ts LIMIT 2;
