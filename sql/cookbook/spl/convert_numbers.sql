-- CAST reads the number that a text begins with, which drops a unit behind it; commas are taken out first.
-- covers: convert auto(); convert num(); convert none(); convert rmcomma(); convert rmunit()
-- query: convert num(a) none(b) rmcomma(c) rmunit(d) auto(e)
SELECT CASE WHEN a = CAST(a AS NUMERIC) || '' THEN CAST(a AS NUMERIC) END AS num, b AS none,
       CAST(replace(c, ',', '') AS NUMERIC) AS rmcomma,
       CAST(d AS NUMERIC) AS rmunit, CASE WHEN e = CAST(e AS NUMERIC) || '' THEN CAST(e AS NUMERIC) ELSE e END AS auto
  FROM (SELECT '12' AS a, '7' AS b, '1,234,567.5' AS c, '40s' AS d, 'n/a' AS e);
