-- Durations as text are parts of a time of day: strftime('%s') of it since midnight, and milliseconds by SQLite's own fractions.
-- covers: convert dur2sec(); convert mstime()
-- query: makeresults | eval a="01:10:05", b="2:03.250" | convert dur2sec(a) mstime(b)
SELECT strftime('%s', '1970-01-01 ' || '01:10:05') + 0 AS a,
       substr(b, 1, instr(b, ':') - 1) * 60 + substr(b, instr(b, ':') + 1) AS b
  FROM (SELECT '2:03.250' AS b);
