-- random() is any 64-bit integer; the remainder is one of 31 bits.
-- covers: random()
-- query: eval r=random() | eval ok=if(r>=0 AND r<2147483648, 1, 0)
SELECT abs(random() % 2147483648) BETWEEN 0 AND 2147483647 AS ok;
