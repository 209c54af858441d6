-- Percent signs with two hex digits become bytes, bytes text in UTF-8.
-- covers: urldecode()
-- query: fields urldecode("a%20b%2Fc")
SELECT url_decode('a%20b%2Fc') AS text;
