-- A look-up table is a table.
-- covers: inputlookup
-- query: | inputlookup host_info where site="Berlin"
SELECT host, owner, site FROM host_info WHERE site = 'Berlin';
