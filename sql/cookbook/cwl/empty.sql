-- NULL and the empty string; and what trim leaves empty.
-- covers: isempty(); isblank()
-- query: stats sum(isempty(user)), sum(isblank(user))
SELECT sum(coalesce(user, '') = '') AS empty, sum(trim(coalesce(user, '')) = '') AS blank FROM access_log;
