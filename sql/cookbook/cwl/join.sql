-- A join, or a LEFT JOIN where rows without a partner stay; a lookup table is a table.
-- covers: join; lookup
-- query: lookup teams user as user OUTPUT team | stats count(*) by team
WITH teams(user, team) AS (VALUES ('ada', 'red'), ('bob', 'blue'))
SELECT team, count(*) AS count FROM access_log LEFT JOIN teams USING (user) GROUP BY team ORDER BY team;
