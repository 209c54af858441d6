-- CAST reads decimal numbers; digits of another base add up in a recursive CTE.
-- covers: tonumber()
-- query: eval a=tonumber("12.5"), b=tonumber("0A4", 16)
WITH RECURSIVE digits(text, n, number) AS (
  VALUES ('0A4', 1, 0)
  UNION ALL
  SELECT text, n + 1, number * 16 + instr('0123456789ABCDEF', substr(upper(text), n, 1)) - 1 FROM digits WHERE n <= length(text))
SELECT CAST('12.5' AS NUMERIC) AS a, max(number) AS b FROM digits;
