-- JOIN; type=left is LEFT JOIN, and max=0 (all matches) is what SQL does anyway.
-- covers: join
-- query: stats count BY host | join type=left host [search index=cpu | stats max(usage) AS peak BY host]
SELECT a.host, count, peak
  FROM (SELECT host, count(*) AS count FROM access_log GROUP BY host) AS a
       LEFT JOIN (SELECT host, max(usage) AS peak FROM cpu GROUP BY host) AS c ON c.host = a.host
 ORDER BY a.host;
