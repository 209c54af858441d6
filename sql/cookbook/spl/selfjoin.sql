-- A join of the table with itself: here each login with the events of the same user behind it.
-- covers: selfjoin
-- query: selfjoin client keepsingle=false
SELECT a.path AS first_path, b.path AS later_path, (b.ts - a.ts) / 1000 AS seconds
  FROM access_log AS a JOIN access_log AS b ON b.client = a.client AND b.ts > a.ts
 WHERE a.path = '/cart' AND a.method = 'GET'
 ORDER BY b.ts;
