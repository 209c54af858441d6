-- replace makes a JSON array of a list whose elements need no quoting themselves.
-- covers: split()
-- query: eval parts=split("a;b;c", ";")
SELECT json('["' || replace('a;b;c', ';', '","') || '"]') AS parts;
