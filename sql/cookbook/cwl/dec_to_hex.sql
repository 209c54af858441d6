-- printf writes a number in base 16.
-- covers: decToHex()
-- query: fields decToHex(255)
SELECT printf('0x%x', 255) AS hex;
