-- SQLite's operators; XOR is what either has less what both have. Splunk's numbers have 53 bits, SQLite's 64: bit_not takes a mask.
-- covers: bit_and(); bit_or(); bit_not(); bit_xor(); bit_shift_left(); bit_shift_right()
-- query: eval a=bit_and(12, 10), o=bit_or(12, 10), x=bit_xor(12, 10), n=bit_not(12, 15), l=bit_shift_left(12, 2), r=bit_shift_right(12, 2)
SELECT 12 & 10 AS a, 12 | 10 AS o, (12 | 10) - (12 & 10) AS x, ~12 & 15 AS n, 12 << 2 AS l, 12 >> 2 AS r;
