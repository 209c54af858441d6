-- A look-up table is written as any table; append=true key_field= is ON CONFLICT. (The recipe rolls back to be run again.)
-- covers: outputlookup
-- query: stats count BY host | eval site="unknown" | fields host, site | outputlookup append=true key_field=host host_info
BEGIN;
INSERT INTO host_info(host, site) SELECT DISTINCT host, 'unknown' FROM access_log WHERE true
    ON CONFLICT (host) DO UPDATE SET site = excluded.site;
SELECT host, owner, site FROM host_info ORDER BY host;
ROLLBACK;
