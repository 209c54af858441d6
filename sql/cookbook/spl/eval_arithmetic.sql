-- Integers divide to integers in SQL: 1.0 * makes a REAL. % is of integers, mod() of any; division by zero is NULL in both languages.
-- covers: eval +; eval -; eval *; eval /; eval %
-- query: eval a=7+2, b=7-2, c=7*2, d=7/2, e=7%2, f=7/0
SELECT 7 + 2 AS a, 7 - 2 AS b, 7 * 2 AS c, 1.0 * 7 / 2 AS d, 7 % 2 AS e, 7 / 0 AS f;
