-- One row a field: each is an arm of a UNION ALL.
-- covers: fieldsummary
-- query: fieldsummary bytes, status, user
SELECT 'bytes' AS field, count(bytes) AS count, count(DISTINCT bytes) AS distinct_count, min(bytes) AS min, max(bytes) AS max,
       round(avg(bytes), 2) AS mean FROM access_log
UNION ALL
SELECT 'status', count(status), count(DISTINCT status), min(status), max(status), round(avg(status), 2) FROM access_log
UNION ALL
SELECT 'user', count(user), count(DISTINCT user), min(user), max(user), NULL FROM access_log;
