-- The first part of the path, up to its second slash, groups what lies below.
-- covers: folderize
-- query: stats count BY path | folderize attr=path sep="/"
SELECT substr(path, 1, instr(substr(path, 2) || '/', '/')) AS folder, sum(count) AS count, json_group_array(path) AS members
  FROM (SELECT path, count(*) AS count FROM access_log GROUP BY path)
 GROUP BY folder
 ORDER BY folder;
