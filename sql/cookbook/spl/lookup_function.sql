-- A scalar subquery.
-- covers: lookup()
-- query: eval owner=json_extract(lookup("host_info", json_object("host", host), json_array("owner")), "owner") | stats count BY owner
SELECT (SELECT owner FROM host_info WHERE host_info.host = access_log.host) AS owner, count(*) AS count
  FROM access_log
 GROUP BY owner
 ORDER BY owner;
