-- printf for hexadecimal numbers and commas, time() for durations, a recursion for binary digits.
-- covers: tostring()
-- query: eval a=tostring(15, "hex"), b=tostring(12345.6789, "commas"), c=tostring(615, "duration")
--   | eval d=tostring(9, "binary"), e=tostring(1==1)
WITH RECURSIVE binary(rest, text) AS (VALUES (9, '') UNION ALL SELECT rest >> 1, (rest & 1) || text FROM binary WHERE rest > 0)
SELECT printf('0x%X', 15) AS a, printf('%,d', round(12345.6789, 2)) || substr(printf('%.2f', 12345.6789), -3) AS b,
       time(615, 'unixepoch') AS c,
       (SELECT text FROM binary WHERE rest = 0) AS d, iif(1 == 1, 'True', 'False') AS e;
