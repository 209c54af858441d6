-- The value that comes most often, of any type; of equals the least.
-- covers: stats mode()
-- query: stats mode(status) AS status, mode(path) AS path BY host
SELECT host, mode(status) AS status, mode(path) AS path FROM access_log GROUP BY host ORDER BY host;
