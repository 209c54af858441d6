-- The functions of SQLite; max() and min() of several arguments are greatest() and least().
-- covers: +; -; *; /; ^; %; abs(); ceil(); floor(); greatest(); least(); log(); sqrt(); round()
-- query: fields 2 + 3, 2 - 3, 2 * 3, 3 / 2, 2 ^ 3, 10 % 3, abs(-1), ceil(1.5), floor(1.5), greatest(1, 3), least(1, 3), log(2), sqrt(9)
SELECT 2 + 3 AS plus, 2 - 3 AS minus, 2 * 3 AS times, 3 / 2.0 AS divided, pow(2, 3) AS power, 10 % 3 AS remainder, abs(-1) AS abs,
       ceil(1.5) AS ceil, floor(1.5) AS floor, max(1, 3) AS greatest, min(1, 3) AS least, ln(2) AS log, sqrt(9) AS sqrt,
       round(1.256, 2) AS round;
