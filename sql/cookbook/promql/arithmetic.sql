-- Written as in SQL, but % is for integers there: mod() and pow() take any numbers. What is divided by 0 is NULL, not Inf.
-- covers: +; -; *; /; %; ^; unary -
-- query: cpu + 1, cpu - 1, cpu * 2, cpu / 100, cpu % 7, cpu ^ 2, -cpu
SELECT host, value + 1 AS plus, value - 1 AS minus, value * 2 AS times, value / 100 AS divided, mod(value, 7) AS modulo,
       pow(value, 2) AS power, -value AS negative
  FROM cpu_now
 ORDER BY host;
