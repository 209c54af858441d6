-- The same names; the hash as hexadecimal text, of which long ones are cut here.
-- covers: md5(); sha1(); sha256(); sha512()
-- query: eval m=md5("abc"), s1=sha1("abc"), s256=substr(sha256("abc"), 1, 16), s512=substr(sha512("abc"), 1, 16)
SELECT md5('abc') AS m, sha1('abc') AS s1, substr(sha256('abc'), 1, 16) AS s256, substr(sha512('abc'), 1, 16) AS s512;
