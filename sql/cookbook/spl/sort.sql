-- ORDER BY; a sort of text as numbers is a CAST.
-- covers: sort
-- query: sort 3 -num(status), path | table status, path
SELECT status, path FROM access_log ORDER BY CAST(status AS INTEGER) DESC, path LIMIT 3;
