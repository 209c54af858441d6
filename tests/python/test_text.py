# The functions on text: against Python's re, ipaddress, hashlib and urllib, and where input is hostile, huge or no UTF-8.
import hashlib
import ipaddress
import json
import random
import re
import urllib.parse

from . import support


class Text(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect()

    def value(self, call, *arguments):
        return self.db.execute("SELECT " + call, arguments).fetchone()[0]

    def test_matches_are_those_of_pythons_re(self):
        rng = random.Random(5)
        atoms = ["a", "b", "ab", ".", "[ab]", "[^a]", "(a|bb)", "(?:ab)*", "b+", "a?", "\\d", "é"]
        for _ in range(2000):
            pattern = "".join(rng.choice(atoms) for _ in range(rng.randrange(1, 5)))
            text = "".join(rng.choice("ab1é\n ") for _ in range(rng.randrange(0, 12)))
            found = re.search(pattern, text)
            self.assertEqual(self.value("? REGEXP ?", text, pattern), int(found is not None), (pattern, text))
            self.assertEqual(self.value("regexp_extract(?, ?)", text, pattern), found and found.group(), (pattern, text))
            groups = re.compile(pattern).groups
            self.assertEqual(self.value("regexp_extract(?, ?, ?)", text, pattern, groups), found and found.group(groups), (pattern, text))
            every = [m.group() for m in re.finditer(pattern, text)]
            if "" not in every:  # Python also takes an empty match next to one that is none
                self.assertEqual(json.loads(self.value("regexp_extract_all(?, ?)", text, pattern)), every, (pattern, text))
                self.assertEqual(self.value("regexp_replace(?, ?, '<\\0>', 'g')", text, pattern),
                                 re.sub(pattern, r"<\g<0>>", text), (pattern, text))
                self.assertEqual(self.value("regexp_replace(?, ?, '<\\0>')", text, pattern), re.sub(pattern, r"<\g<0>>", text, 1))

    def test_groups_have_numbers_and_names(self):
        call = "regexp_extract('GET /a?x=1', '(?P<verb>[A-Z]+) (/\\w*)(#.*)?', %s)"
        self.assertEqual([self.value(call % group) for group in ("0", "1", "2", "3", "'verb'")], ["GET /a", "GET", "/a", None, "GET"])
        self.assertEqual(self.value("regexp_extract_all('a1b2c', '([a-z])(\\d)?', 2)"), '["1","2",null]')
        self.assertEqual(self.value("regexp_extract_all('xyz', '\\d')"), "[]")
        self.assertEqual(self.value("json_array(regexp_extract_all('a\"\n', '.+|\\n'))"), '[["a\\"","\\u000a"]]')
        self.assertEqual(self.value("regexp_replace('2026-11-23', '(\\d+)-(\\d+)-(\\d+)', '\\3.\\2.\\1')"), "23.11.2026")
        self.assertEqual(self.value("regexp_replace('abc', '', '-', 'g')"), "-a-b-c-")
        self.assertEqual(self.value("regexp_replace('é', 'x*', '-', 'g')"), "-é-")

    def test_a_pattern_from_a_column_is_each_rows_own(self):
        rows = self.db.execute("WITH p(p) AS (VALUES ('a'), ('b'), ('c+'), (NULL))"
                               " SELECT 'bcc' REGEXP p, regexp_extract('bcc', p) FROM p")
        self.assertEqual(rows.fetchall(), [(0, None), (1, "b"), (1, "cc"), (None, None)])
        rows = self.db.execute("SELECT regexp(?, v) FROM (SELECT 'x' AS v UNION ALL SELECT 'y')", ("y",))
        self.assertEqual(rows.fetchall(), [(0,), (1,)])

    def test_numbers_are_matched_as_their_text_and_bytes_that_are_no_utf8_match_nothing(self):
        self.assertEqual(self.value("12.5 REGEXP '^12\\.5$'"), 1)
        self.assertEqual(self.value("x'616200ff' REGEXP '^ab\\x00.$'"), 0)
        self.assertEqual(self.value("hex(regexp_replace(x'61ff62', '[ab]', 'c', 'g'))"), "63FF63")
        self.assertEqual(self.value("regexp_extract(CAST(x'ff61' AS TEXT), '.')"), "a")
        self.assertEqual(json.loads(self.value("regexp_extract_all(x'61ff', '.')")), ["a"])

    def test_time_and_memory_are_bounded_whatever_the_pattern(self):
        self.assertEqual(self.value("? REGEXP '^(a+)+$'", "a" * 100_000 + "b"), 0)
        self.assertEqual(self.value("? REGEXP '(x+x+)+y'", "x" * 100_000), 0)
        self.assertEqual(self.value("length(log_pattern(?))", '"' + "1 " * 200_000), 1 + len("<num> ") * 200_000)
        fails = "regexp: the pattern \"%s\" is no RE2 expression: "
        for pattern, fault in (("((a{100}){100}){100}", "invalid repetition size: {100}"), ("(", "missing ): ("),
                               ("(?=a)", "invalid perl operator: (?="), ("a**", "bad repetition operator: **"),
                               ("[\\pL]{999}", "pattern too large - compile failed")):
            self.assertFails(self.db, "SELECT 'a' REGEXP ?", fails % pattern + fault, (pattern,))
        self.assertFails(self.db, "SELECT 'a' REGEXP ?", "regexp: the pattern is longer than 65536 bytes", ("a" * 65537,))
        self.assertFails(self.db, "SELECT 'a' REGEXP x'ff'", fails % "?" + "invalid UTF-8")
        # Ten thousand times a million bytes would not fit: it ends at SQLite's limit, not at the memory's.
        self.db.setlimit(support.sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
        self.assertFails(self.db, "SELECT regexp_replace(?, 'a', ?, 'g')", "string or blob too big", ("a" * 10_000, "b" * 1_000_000))

    def test_what_is_no_pattern_group_or_replacement_is_an_error(self):
        for call, message in (("regexp_extract('a', '(a)', 2)", "regexp_extract: the pattern has no group 2"),
                              ("regexp_extract('a', '(a)', -1)", "regexp_extract: the pattern has no group -1"),
                              ("regexp_extract_all('a', '(a)', 'n')", 'regexp_extract_all: the pattern has no group "n"'),
                              ("regexp_replace('a', 'a', 'b', 'i')", "regexp_replace: \"i\" is no option; write 'g' to replace all"),
                              ("regexp_replace('a', 'a', '\\1')",
                               "regexp_replace: the replacement is none: Rewrite schema requests 1 matches, but the regexp only has 0 "
                               "parenthesized subexpressions.")):
            self.assertFails(self.db, "SELECT " + call, message)

    def test_null_in_any_argument_is_null(self):
        for call in ("NULL REGEXP 'a'", "'a' REGEXP NULL", "regexp_extract(NULL, 'a')", "regexp_extract('a', 'a', NULL)",
                     "regexp_extract_all('a', NULL)", "regexp_replace('a', 'a', NULL)", "log_pattern(NULL)", "parse_glob(NULL, '*')",
                     "parse_glob('a', NULL)", "ip_in_subnet(NULL, '::/0')", "ip_in_subnet('::', NULL)", "url_decode(NULL)",
                     "md5(NULL)", "sha1(NULL)", "sha256(NULL)", "sha512(NULL)"):
            self.assertIsNone(self.value(call), call)

    def test_empty_text_is_text(self):
        self.assertEqual(self.value("'' REGEXP ''"), 1)
        self.assertEqual(self.value("regexp_extract('', 'a*')"), "")
        self.assertEqual([self.value(c) for c in ("log_pattern('')", "url_decode('')", "parse_glob('', '*', 1)")], [""] * 3)
        self.assertEqual(self.value("parse_glob('', '*')"), '[""]')

    def test_globs_take_as_little_as_they_can_and_the_last_all_that_is_left(self):
        line = "2026-11-23 user=ann, method:GET, latency := 12 ms"
        self.assertEqual(self.value("parse_glob(?, 'user=*, method:*, latency := *')", line), '["ann","GET","12 ms"]')
        self.assertEqual(self.value("parse_glob(?, 'user=*,', 1)", line), "ann")
        self.assertEqual(self.value("parse_glob(?, '* user=*,')", line), '["2026-11-23","ann"]')
        self.assertIsNone(self.value("parse_glob(?, 'user=*;')", line))
        self.assertEqual(self.value("parse_glob('a*b\\c', '\\**\\\\*')"), '["b","c"]')
        self.assertEqual(json.loads(self.value("parse_glob(?, 'a*b*')", 'a"\t\u00e9\0b\\')), ['"\t\u00e9\0', "\\"])
        self.assertEqual(json.loads(self.value("parse_glob(x'61ff62', 'a*b')")), ["\ufffd"])
        for call, message in (
                ("parse_glob('a', 'a')", 'parse_glob: the glob "a" has no asterisk, so it takes nothing'),
                ("parse_glob('a', 'a**')", 'parse_glob: two asterisks side by side in "a**": which takes what? Write one'),
                ("parse_glob('a', '*', 2)", "parse_glob: there is no asterisk number 2; they count from 1"),
                ("parse_glob('a', '*', 0)", "parse_glob: there is no asterisk number 0; they count from 1")):
            self.assertFails(self.db, "SELECT " + call, message)

    def test_globs_match_as_their_regular_expression(self):
        rng = random.Random(9)
        for _ in range(2000):
            literals = ["".join(rng.choice("ab") for _ in range(rng.randrange(1, 3))) for _ in range(rng.randrange(1, 4))]
            glob = "*".join(["" if rng.random() < 0.5 else "a"] + literals + ([""] if rng.random() < 0.5 else []))
            text = "".join(rng.choice("ab") for _ in range(rng.randrange(0, 12)))
            pattern = glob[:-1].replace("*", "(.*?)") + "(.*)$" if glob.endswith("*") else glob.replace("*", "(.*?)")
            found = re.search(pattern, text)
            got = self.value("parse_glob(?, ?)", text, glob)
            self.assertEqual(got and json.loads(got), found and list(found.groups()), (glob, text))

    def test_lines_of_one_statement_have_one_pattern(self):
        for line, pattern in (
                ("took 12.5ms for 3 rows", "took <num>ms for <num> rows"), ("took 2ms for 17 rows", "took <num>ms for <num> rows"),
                ("10.0.0.1:8080 said 'no' to \"a \\\" b\"", "<ip>:<num> said <text> to <text>"),
                ("id 6f1e2d3c-0a1b-4c5d-8e9f-001122334455 at 0xDEADbeef", "id <uuid> at <hex>"),
                ("2026-11-23T07:16:00.123Z a", "<time> a"), ("2026-11-23 07:16:00,5 +0100 a", "<time> a"), ("2026-11-23 a", "<time> a"),
                ("[10/Oct/2000:13:55:36 -0700] a", "[<time>] a"), ("at 07:16:00 a", "at <time> a"),
                ("from 2001:db8::8a2e:370:7334 to fe80:0:0:0:1:2:3:4", "from <ip> to <ip>"), ("aa:bb:cc:0d:ee:ff", "<hex>"),
                ("AA-BB-CC-0D-EE-FF 0x", "<hex> <num>x"), ("ab:cd::12:34:5 ab:cd::1 12:34:56::7", "<ip> <ip> <time>::<num>"),
                ("commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "commit <hex>"), ("12345678 12345678.5s 1e5", "<num> <num>s <num>"),
                ("std::string can't be 'quoted it'", "std::string can't be <text>"), ("effaceddefaced", "effaceddefaced"),
                ('{"user": "ann", "age":5}', '{"user": <text>, "age":<num>}'), ('an open " quote 5', 'an open " quote <num>'),
                ("it's 5 o'clock", "it's <num> o'clock"), ("web12 \u00e9 5", "web<num> \u00e9 <num>")):
            self.assertEqual(self.value("log_pattern(?)", line), pattern)
        self.assertEqual(self.value("hex(log_pattern(x'ff3531ff'))"), "FF" + b"<num>".hex().upper() + "FF")

    def test_addresses_lie_in_subnets_as_pythons_ipaddress_says(self):
        rng = random.Random(11)
        for _ in range(3000):
            bits = rng.choice([32, 128])
            base, prefix = rng.getrandbits(bits), rng.randrange(bits + 1)
            make = ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address
            net = ipaddress.ip_network("%s/%d" % (make(base), prefix), strict=False)
            ip = make(base ^ rng.getrandbits(bits) >> rng.randrange(bits) if rng.random() < 0.9 else base)
            self.assertEqual(self.value("ip_in_subnet(?, ?)", str(ip), "%s/%d" % (make(base), prefix)), int(ip in net), (ip, net))
            if bits == 32:
                self.assertEqual(self.value("ip_in_subnet(?, ?)", "::ffff:%s" % ip, str(net)), int(ip in net), (ip, net))
        for ip, net, wanted in (("10.1.2.3", "::/0", 0), ("10.1.2.3", "::ffff:10.0.0.0/104", 1), ("::ffff:10.1.2.3", "::/0", 1),
                                ("::1", "0.0.0.0/0", 0), ("-", "0.0.0.0/0", None), ("10.1.2", "0.0.0.0/0", None), ("", "::/0", None),
                                ("10.0.0.0/8", "10.0.0.0/8", None), ("fe80::1%eth0", "::/0", None), ("10.1.2.3\0", "10.0.0.0/8", None)):
            self.assertEqual(self.value("ip_in_subnet(?, ?)", ip, net), wanted, (ip, net))
        for net in ("10.1.2.3", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/", "::/129", "x/8", "", "10.0.0.0/99999999999"):
            self.assertFails(self.db, "SELECT ip_in_subnet('10.1.2.3', ?)",
                             "ip_in_subnet: \"%s\" is no subnet; write one as in '10.0.0.0/8' or '2001:db8::/32'" % net, (net,))

    def test_digests_are_hashlibs_of_text_and_of_blobs(self):
        for data in (b"", b"abc", b"\0\xff" * 1000):
            for name in ("md5", "sha1", "sha256", "sha512"):
                self.assertEqual(self.value(name + "(?)", data), hashlib.new(name, data).hexdigest())
        self.assertEqual(self.value("sha256('\u00e9')"), hashlib.sha256("\u00e9".encode()).hexdigest())
        self.assertEqual(self.value("md5(12)"), hashlib.md5(b"12").hexdigest())
        wide = self.connect()
        wide.execute("PRAGMA encoding = 'UTF-16le'")
        wide.execute("CREATE TABLE t(b, t)")
        wide.execute("INSERT INTO t VALUES(x'00ff41', '\u00e9')")
        self.assertEqual(wide.execute("SELECT md5(b), md5(t) FROM t").fetchone(),
                         (hashlib.md5(b"\0\xffA").hexdigest(), hashlib.md5("\u00e9".encode()).hexdigest()))

    def test_urls_are_decoded_as_urllib_does(self):
        for text in ("http%3A%2F%2Fa%3Fb%3Dc", "a+b%20c", "%C3%A9", "%ff%C3", "plain", "%e4%b8%ad%00x"):
            # urllib replaces a cut sequence by one U+FFFD, we each byte of it: the examples have none longer than a byte
            self.assertEqual(self.value("url_decode(?)", text), urllib.parse.unquote(text))
        for text in ("%", "%4", "%zz", "a%"):
            self.assertIsNone(self.value("url_decode(?)", text), text)

    def test_the_shells_own_regexp_is_left_alone(self):
        out, _, _ = support.shell("SELECT 'ab' REGEXP 'b$', regexp_extract('ab', 'b$'), sha1('abc');")
        self.assertEqual(out.strip(), "1|b|" + hashlib.sha1(b"abc").hexdigest())
        db = support.sqlite3.connect(":memory:")
        self.addCleanup(db.close)
        db.create_function("regexp", 2, lambda pattern, text: "the host's")
        support.load(db)
        self.assertEqual(db.execute("SELECT 'a' REGEXP 'b'").fetchone()[0], "the host's")
