-- The directory is the path without what stands behind its last slash: rtrim strips all characters that are not slashes.
-- covers: bucketdir
-- query: bucketdir pathfield=path sizefield=bytes
SELECT rtrim(path, replace(path, '/', '')) AS directory, count(*) AS count, sum(bytes) AS bytes
  FROM access_log
 GROUP BY directory
 ORDER BY count DESC, directory;
