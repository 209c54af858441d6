-- SQLite has no NaN (it is NULL), and writes infinity as a number that is too large.
-- covers: float literals; string literals
-- query: 0x8f, 3.4e-9, Inf, "a string"
SELECT 0x8f AS hexadecimal, 3.4e-9 AS exponent, 9e999 AS infinity, 'a string' AS string;
