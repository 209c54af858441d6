-- The hash as hexadecimal text.
-- covers: md5(); sha256()
-- query: fields md5(user), sha256("abc") | limit 1
SELECT md5(user) AS md5, sha256('abc') AS sha256 FROM access_log ORDER BY ts LIMIT 1;
