-- Natural order, so that web10 follows web9: the text before the digits, then the number.
-- covers: sort_by_label(); sort_by_label_desc()
-- query: sort_by_label_desc(cpu, "host")
SELECT host, region, value
  FROM (SELECT *, rtrim(host, '0123456789') AS stem FROM cpu_now)
 ORDER BY stem DESC, CAST(substr(host, length(stem) + 1) AS INTEGER) DESC;
