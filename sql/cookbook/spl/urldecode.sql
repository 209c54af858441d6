-- Percent signs with two hex digits become bytes, bytes text in UTF-8.
-- covers: urldecode()
-- query: eval text=urldecode("http%3A%2F%2Fexample.com%2Fa%20b")
SELECT url_decode('http%3A%2F%2Fexample.com%2Fa%20b') AS text;
