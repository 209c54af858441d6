-- All digits of a number.
-- covers: exact()
-- query: eval x=exact(3.14 * 7)
SELECT printf('%!.17g', 3.14 * 7) AS x;
