-- LEFT JOIN; OUTPUTNEW keeps what is there, by coalesce.
-- covers: lookup
-- query: lookup host_info host OUTPUT owner, site | stats count BY host, owner, site
SELECT host, owner, site, count(*) AS count FROM access_log LEFT JOIN host_info USING (host) GROUP BY host ORDER BY host;
