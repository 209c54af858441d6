-- max() and min() of several arguments are the larger and the smaller one.
-- covers: max_of(); min_of()
-- query: max_of(2, 3), min_of(2, 3)
SELECT max(2, 3) AS max_of, min(2, 3) AS min_of;
