-- Byte by byte: hex() of each that may not stand as itself.
-- covers: urlencode()
-- query: fields urlencode("a b/c=ü")
WITH RECURSIVE source(bytes) AS (SELECT CAST('a b/c=ü' AS BLOB)),
  encoded(n, url) AS (
    VALUES (0, '')
    UNION ALL
    SELECT n + 1, url || CASE WHEN CAST(substr(bytes, n + 1, 1) AS TEXT) GLOB '[A-Za-z0-9_.~-]' THEN CAST(substr(bytes, n + 1, 1) AS TEXT)
                              ELSE '%' || hex(substr(bytes, n + 1, 1)) END
      FROM encoded, source WHERE n < length(bytes))
SELECT url FROM encoded ORDER BY n DESC LIMIT 1;
