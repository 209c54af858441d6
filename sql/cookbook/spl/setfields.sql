-- Constants are columns.
-- covers: setfields
-- query: setfields source="shop", stage="live" | table path, source, stage | head 1
SELECT path, 'shop' AS source, 'live' AS stage FROM access_log ORDER BY ts LIMIT 1;
