-- Digits add up in a recursive CTE; two of them are a letter's code.
-- covers: hexToDec(); hexToAscii()
-- query: fields hexToDec("ff"), hexToAscii("4f6b")
WITH RECURSIVE digits(n, digit) AS (
  SELECT 1, instr('0123456789abcdef', substr('4f6b', 1, 1)) - 1
  UNION ALL
  SELECT n + 1, instr('0123456789abcdef', substr('4f6b', n + 1, 1)) - 1 FROM digits WHERE n < length('4f6b')),
     numbers(n, number) AS (
  VALUES (0, 0)
  UNION ALL
  SELECT n + 1, number * 16 + instr('0123456789abcdef', substr('ff', n + 1, 1)) - 1 FROM numbers WHERE n < length('ff'))
SELECT (SELECT max(number) FROM numbers) AS dec,
       (SELECT group_concat(char(a.digit * 16 + b.digit), '')
          FROM digits AS a JOIN digits AS b ON b.n = a.n + 1 WHERE a.n % 2 = 1) AS ascii;
