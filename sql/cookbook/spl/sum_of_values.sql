-- + of the columns; max and min of several arguments are of the row, not of the group.
-- covers: sum(); avg(); max(); min()
-- query: eval s=sum(1, 2, 6), a=avg(1, 2, 6), x=max(1, 2, 6), n=min(1, 2, 6)
SELECT 1 + 2 + 6 AS s, (1 + 2 + 6) / 3.0 AS a, max(1, 2, 6) AS x, min(1, 2, 6) AS n;
