-- A box on the map is two BETWEEN.
-- covers: geomfilter
-- query: geomfilter min_x=0 max_x=12 min_y=50 max_y=65
SELECT host, site FROM host_info WHERE lon BETWEEN 0 AND 12 AND lat BETWEEN 50 AND 65;
