-- The search's condition as an expression.
-- covers: searchmatch()
-- query: eval hit=if(searchmatch("status=500 path=*check*"), 1, 0) | stats sum(hit) AS hits
SELECT sum(status = 500 AND path LIKE '%check%') AS hits FROM access_log;
