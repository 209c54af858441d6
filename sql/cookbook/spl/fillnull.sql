-- coalesce gives the value that stands for NULL.
-- covers: fillnull
-- query: fillnull value="-" user | stats count BY user
SELECT coalesce(user, '-') AS user, count(*) AS count FROM access_log GROUP BY 1 ORDER BY 1;
