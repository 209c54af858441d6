# A server that fails in every way (faulty_s3.py): the right answer, or an error that names the object, the cause and the remedy; soon;
# and never a row that is not the archive's.
#
# Where a single GET that fails may be sent again, faults that last are told from faults that pass: `times` says how often.
import os
import re
import sqlite3
import threading
import unittest

from . import faulty_s3, support
from .faulty_s3 import error_xml

T = 1795392000000  # 2026-11-23
DAY = 86400000
SMALL, LARGE = 50, 6000  # rows; the large file takes several ranged GETs
PATTERN = os.urandom(1 << 20)
SOON = 100  # seconds: no case may take longer, whatever the server does


def pad(i):
    return PATTERN[i * 151 % 900000:][:1000]


def small(day):
    return [(T + day * DAY + i * 1000, "web1", i, b"") for i in range(SMALL)]


def large():
    return [(T + 1 * DAY + i * 1000, "web%d" % (i % 3), i, pad(i)) for i in range(LARGE)]


class Case(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.server = faulty_s3.FaultyS3()
        self.addCleanup(self.server.close)
        for name, value in (("AWS_ENDPOINT_URL_S3", self.server.url), ("AWS_ACCESS_KEY_ID", "AKIDFAULTY"),
                            ("AWS_SECRET_ACCESS_KEY", "a-secret-nobody-may-see"), ("AWS_REGION", "us-east-1"),
                            ("AWS_SESSION_TOKEN", None), ("TIMESERIES_STALL_MS", "1500")):
            self.setenv(name, value)
        self.spools = 0

    def table(self, options="", spool=None):
        self.spools += 1
        db = self.connect(so=support.WITH_FAILPOINTS, isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, n INTEGER, pad BLOB, location='s3://test/a', "
                   "spool='%s'%s)" % (self.path(spool or "spool%d" % self.spools), options))
        return db

    def write(self, db, rows):
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?,?,?,?)", rows)
        db.execute("COMMIT")
        return db.execute("SELECT ts_flush('cpu')").fetchone()[0]

    def name_of(self, day):
        (key,) = [k for k in self.server.objects if "/2026-11-%d/" % (23 + day) in k]
        return key

    def read(self, db, sql="SELECT ts, host, n, pad FROM cpu ORDER BY ts"):
        """(rows that were given out, the error or None), within SOON seconds."""
        rows, timer = [], threading.Timer(SOON * support.PATIENCE, db.interrupt)
        timer.start()
        try:
            for row in db.execute(sql):
                rows.append(row)
            return rows, None
        except sqlite3.Error as e:
            return rows, str(e)
        finally:
            timer.cancel()


class Reading(Case):
    """An archive of three files: small, large, small."""

    objects = None

    def setUp(self):
        super().setUp()
        if Reading.objects is None:
            db = self.table()
            self.assertEqual(self.write(db, small(0) + large() + small(2)), 3)
            db.close()
            Reading.objects = dict(self.server.objects)
        self.server.objects = dict(Reading.objects)
        self.expected = small(0) + large() + small(2)
        self.big = self.name_of(1)
        self.object = "s3://test/" + self.big

    def check(self, error=None, options=""):
        """Everything, or the error; what was given out before it is the archive's."""
        rows, found = self.read(self.table(options))
        if error is None:
            self.assertIsNone(found)
            self.assertEqual(rows, self.expected)
        else:
            self.assertEqual(rows, self.expected[:len(rows)])
            self.assertEqual(self.plain(found), error)

    def plain(self, text):
        return text and re.sub(r" \(\d tries in \d+\.\d s\)", " (N tries)", text).replace(self.server.authority, "HOST")

    def test_without_faults(self):
        self.check()
        self.assertGreater(self.server.count("GET", self.big), 1, "the large file takes several GETs")

    def test_a_fault_that_passes_is_not_seen(self):
        def gone(exchange):
            exchange.close()

        def short(exchange):
            status, headers, body = exchange.honest()
            exchange.reply(status, headers, body[:-7], length=len(body))

        def stalled(exchange):
            status, headers, body = exchange.honest()
            exchange.handler.wfile.write(b"HTTP/1.1 206 X\r\nContent-Length: %d\r\nETag: %s\r\nContent-Range: %s\r\n\r\n"
                                         % (len(body), headers["ETag"].encode(), headers["Content-Range"].encode()) + body[:1000])
            exchange.hang()

        faults = [("no answer", gone), ("half a body", short), ("silence", lambda e: e.hang()), ("silence in the body", stalled)]
        for status, code in ((500, "InternalError"), (503, "SlowDown"), (503, "ServiceUnavailable"), (429, "TooManyRequests"),
                             (408, "RequestTimeout"), (502, "")):
            faults.append(("%d %s" % (status, code), lambda e, s=status, c=code: e.fail(s, c)))
        faults.append(("503 with Retry-After", lambda e: e.fail(503, "SlowDown", {"Retry-After": "1"})))
        for kind, part in (("GET", self.big), ("GET", "schema-"), ("LIST", "")):
            for name, do in faults:
                if part != self.big and do not in (gone, faults[-1][1]):  # the same requests: two ways suffice
                    continue
                with self.subTest(name, kind=kind, part=part):
                    self.server.faults.clear()
                    self.server.fault(do, kind, part, times=1)
                    self.check()
                    self.assertEqual(self.server.faults[0][4], 0, "the fault was met")

    def test_a_fault_that_lasts_is_an_error(self):
        unavailable = "s3: the server cannot answer now (HTTP %s): " + self.object + " (N tries)"
        proxy = ": " + self.object + "; check for a proxy between here and the server"

        def changed(headers=None, body=lambda b: b, status=None, length=None):
            def do(exchange):
                was, given, data = exchange.honest()
                if was == 206:
                    given = {k: v for k, v in dict(given, **(headers(given) if headers else {})).items() if v is not None}
                    data = body(data)
                    exchange.reply(status or was, given, data, length=length and length(data))
            return do

        def drip(exchange):
            status, headers, body = exchange.honest()
            exchange.send(b"HTTP/1.1 206 X\r\nContent-Length: %d\r\nETag: %s\r\nContent-Range: %s\r\n\r\n"
                          % (len(body), headers["ETag"].encode(), headers["Content-Range"].encode()))
            for i in range(len(body)):
                if self.server.leaving.wait(0.1):
                    break
                exchange.send(body[i:i + 1])
            exchange.close()

        def endless_headers(exchange):
            exchange.send(b"HTTP/1.1 206 X\r\n")
            for i in range(10000):
                exchange.send(b"X-%d: y\r\n" % i * 100)
            exchange.close()

        cases = [
            ("403", lambda e: e.fail(403, "AccessDenied"),
             "s3: access denied (HTTP 403 AccessDenied): %s; the credentials need s3:GetObject there" % self.object),
            ("403 without a word", lambda e: e.reply(403),
             "s3: access denied (HTTP 403): %s; the credentials need s3:GetObject there" % self.object),
            ("404", lambda e: e.fail(404, "NoSuchKey"), "s3: the object is gone although it was listed: " + self.object),
            ("clock skew", lambda e: e.fail(403, "RequestTimeTooSkewed"),
             "s3: the server's clock and this machine's differ too much (clock skew) (HTTP 403 RequestTimeTooSkewed): %s; set this "
             "machine's clock, by NTP for example" % self.object),
            ("expired token", lambda e: e.fail(400, "ExpiredToken"),
             "s3: the session token is expired or invalid (HTTP 400 ExpiredToken): %s; renew AWS_SESSION_TOKEN and its keys" % self.object),
            ("500", lambda e: e.fail(500, "InternalError"), unavailable % "500 InternalError"),
            ("503", lambda e: e.fail(503, "SlowDown", {"Retry-After": "1"}), unavailable % "503 SlowDown"),
            ("301", lambda e: e.fail(301, "PermanentRedirect", {"Location": "http://elsewhere/"}),
             "s3: the server redirects to another address (HTTP 301 PermanentRedirect): %s; set endpoint and region to the bucket's own"
             % self.object),
            ("200 for a range", changed(status=200),
             "s3: the server ignores the Range header: %s; the endpoint (or a proxy before it) must support ranged reads" % self.object),
            ("gzip", changed(lambda h: {"Content-Encoding": "gzip"}),
             "s3: the object is stored with Content-Encoding gzip, and ranges of it are not its bytes" + proxy),
            ("no Content-Range", changed(lambda h: {"Content-Range": None}), 'the server\'s Content-Range "" does not fit'),
            ("shifted Content-Range", changed(lambda h: {"Content-Range": "bytes 1-2/3"}),
             'the server\'s Content-Range "bytes 1-2/3" does not fit'),
            ("a short body", changed(body=lambda b: b[:-9]), "bytes of a range of"),
            ("too many bytes", changed(body=lambda b: b + b"x"), "s3: the answer is longer than was asked for: " + self.object),
            ("half a body", changed(length=lambda b: len(b) + 9),
             "s3: the connection to HOST was lost: %s; check the network and the server (N tries)" % self.object),
            ("no answer", lambda e: e.close(),
             "s3: the connection to HOST was lost: %s; check the network and the server (N tries)" % self.object),
            ("silence", lambda e: e.hang(),
             "s3: no byte came from HOST for 2 s: %s; check the network and the server (N tries)" % self.object),
            ("a drip", drip, "s3: HOST sends too slowly"),
            ("no HTTP", lambda e: (e.send(b"220 smtp\r\n"), e.close()),
             "s3: the answer of HOST is not proper HTTP: %s; check that the endpoint is an HTTP server (N tries)" % self.object),
            ("endless headers", endless_headers,
             "s3: the answer of HOST is not proper HTTP: %s; check that the endpoint is an HTTP server (N tries)" % self.object),
            ("another ETag", changed(lambda h: {"ETag": '"x"'}), "s3: the object was changed after it was listed: " + self.object),
            ("no ETag", changed(lambda h: {"ETag": None}), "s3: the object was changed after it was listed: " + self.object),
            ("another size", changed(lambda h: {"Content-Range": h["Content-Range"].rsplit("/")[0] + "/99999999"}),
             "read: the object changed while it was being read: %s; run the statement again" % self.object),
            ("other bytes under the ETag", changed(body=lambda b: b[:-5000] + bytes(x ^ 1 for x in b[-5000:])), "is damaged"),
        ]
        for name, do, error in cases:
            with self.subTest(name):
                self.server.faults.clear()
                before = len(self.server.requests)
                self.server.fault(do, part=self.big)
                rows, found = self.read(self.table())
                self.assertEqual(rows, self.expected[:len(rows)])
                found = self.plain(found) or "no error"
                self.assertIn(error, found)
                self.assertIn(self.object, found)
                self.assertNotIn("a-secret-nobody-may-see", found)
                self.assertLess(len(self.server.requests) - before, 60)

    def test_credentials_that_expire_in_mid_scan_are_fetched_anew(self):
        served = []

        def keys(exchange):
            served.append(1)
            exchange.reply(200, {"Content-Type": "application/json"}, (
                '{"AccessKeyId":"KEY%d","SecretAccessKey":"s","Token":"TOKEN%d","Expiration":"2099-01-01T00:00:00Z"}'
                % (len(served), len(served))).encode())

        def only_the_second(exchange):
            if exchange.headers.get("x-amz-security-token") == "TOKEN1":
                exchange.fail(400, "ExpiredToken")

        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            self.setenv(name, None)
        self.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", self.server.url + "/credentials")
        self.server.fault(keys, part="/credentials")
        self.server.fault(only_the_second, part=self.big, skip=1)
        self.check()
        self.assertEqual(len(served), 2)

    def test_a_bucket_elsewhere_is_found_by_its_region(self):
        def elsewhere(exchange):
            if "/eu-central-1/" not in exchange.headers["Authorization"]:
                exchange.fail(301, "PermanentRedirect", {"x-amz-bucket-region": "eu-central-1"})

        for kind in ("GET", "LIST"):
            self.server.fault(elsewhere, kind)
        self.check()

    def test_no_name_and_no_tls(self):
        for endpoint, error in (
                ("http://no-such-host.invalid", "s3: the host name no-such-host.invalid cannot be resolved: s3://test/a/cpu/%s; check its "
                                                "spelling and DNS (N tries)"),
                ("https://" + self.server.authority, "s3: the TLS handshake with HOST failed: s3://test/a/cpu/%s; check that the endpoint "
                                                     "speaks https (N tries)"),
                ("http://127.0.0.1:1", "s3: connection refused by 127.0.0.1:1: s3://test/a/cpu/%s; check that the server runs and is "
                                       "reachable (N tries)")):
            with self.subTest(endpoint):
                rows, found = self.read(self.table(", endpoint='%s'" % endpoint))
                self.assertEqual(rows, [])
                self.assertIn(self.plain(found), (error % "", error % "schema-"))

    def test_listings_that_cannot_be(self):
        wrong = "s3: the server's listing is wrong: "
        keys = sorted(k for k in self.server.objects if k.endswith(".sqlite"))

        def xml(text):
            return lambda e: "start-after" not in e.query and None or (
                e.reply(200, {"Content-Type": "application/xml"}, text() if callable(text) else text) if "schema-" not in
                e.query.get("prefix", "") else None)

        whole = self.server.listing(keys, False)
        cases = (
            ("no XML", b"<html><br>", "it is no XML"), ("another XML", b"<html></html>", "it has no ListBucketResult"),
            ("cut off", whole[:len(whole) // 2], "it is no XML"), ("nothing", b"", "it is no XML"),
            ("repeated", self.server.listing(keys + keys[-1:], False), "keys are not in byte order"),
            ("out of order", self.server.listing(keys[::-1], False), "keys are not in byte order"),
            ("looping", self.server.listing(keys, True), "keys are not in byte order"),
            ("more of nothing", self.server.listing([], True), "it says there is more, but holds nothing"),
            ("no word of more", whole.replace(b"<IsTruncated>false</IsTruncated>", b""), "an element <IsTruncated> is missing"),
            ("sizes below zero", whole.replace(b"<Size>", b"<Size>-"), "a size is no number"),
            ("sizes beyond all", whole.replace(b"<Size>", b"<Size>9999999999999999999"), "a size is no number"),
            ("without ETags", whole.replace(b"<ETag>", b"<Tag>").replace(b"</ETag>", b"</Tag>"), "an element <ETag> is missing"),
            ("a key outside", whole.replace(b"<Key>a/", b"<Key>b/"), "a key outside the prefix asked for"),
            ("entities in entities", b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>" + whole.replace(b"web", b"&b;"),
             None),
            ("deep", b"<a>" * 100000, "it is no XML"),
            ("huge", lambda: b"<x>" + b" " * (40 << 20), "the answer is longer than was asked for"),
        )
        for name, text, error in cases:
            with self.subTest(name):
                self.server.faults.clear()
                self.server.fault(xml(text), "LIST")
                rows, found = self.read(self.table())
                if error is None:
                    self.assertTrue(found or rows == self.expected)
                    continue
                # In the order of time rows come before all is listed; then the statement ends with the error.
                self.assertTrue(rows == self.expected[:len(rows)] and (not rows or name == "looping"), len(rows))
                self.assertIn(error, found or "no error")
                self.assertIn("s3://test/b/cpu" if name == "a key outside" else "s3://test/a/cpu", found)
                self.assertTrue(found.startswith(wrong) or name == "huge", found)

    def test_a_listing_in_many_pages_is_whole_and_one_that_ends_early_is_not_seen_to_be_so(self):
        self.setenv("TIMESERIES_LIST_PAGE", "1")
        self.check()

    def test_an_object_replaced_in_mid_scan_gives_no_row_of_another_state(self):
        other = self.table(spool="other")
        honest, self.server.objects = self.server.objects, {}
        self.write(other, [(t, h, n + 1000000, p) for t, h, n, p in large()])
        other.close()
        replacement = self.server.objects[self.name_of(1)]
        for obeys in (True, False):
            with self.subTest("the server obeys If-Match" if obeys else "the server ignores If-Match"):
                self.server.objects = dict(honest)
                self.server.faults.clear()

                def replace(exchange):
                    self.server.objects[self.big] = replacement
                    if not obeys:
                        del exchange.headers["If-Match"]

                self.server.fault(replace, part=self.big, skip=2)
                self.check("s3: the object was changed after it was listed: " + self.object)

    def test_an_object_deleted_in_mid_scan_is_an_error_and_one_deleted_before_its_first_row_is_listed_anew(self):
        self.server.fault(lambda e: self.server.objects.pop(self.big, None) and None, part=self.big, skip=2)
        self.check("s3: the object is gone although it was listed: " + self.object)
        self.server.faults.clear()
        self.server.objects = dict(self.objects)
        self.server.fault(lambda e: self.server.objects.pop(self.big, None) and None, part=self.big)
        rows, found = self.read(self.table(), "SELECT ts, host, n, pad FROM cpu")
        self.assertIn(found, (None, "s3: the object is gone although it was listed: " + self.object))
        if found is None:
            self.assertEqual(rows, small(0) + small(2))


class Writing(Case):
    ROWS = small(0) + small(1)

    def stored_once(self):
        db = self.table()
        rows, error = self.read(db)
        self.assertIsNone(error)
        self.assertEqual(rows, self.ROWS)
        db.close()

    def test_a_put_whose_answer_is_lost_is_stored_once(self):
        def applied(then):
            def do(exchange):
                exchange.honest()
                then(exchange)
            return do

        for name, do in (("lost", applied(lambda e: e.close())), ("500", applied(lambda e: e.fail(500, "InternalError"))),
                         ("silence", applied(lambda e: e.hang())),
                         ("half an answer", applied(lambda e: e.reply(200, {}, b"x" * 100, length=200)))):
            for part in ("2026-11-23", "schema-"):
                with self.subTest(name, part=part):
                    self.server.objects.clear()
                    self.server.faults.clear()
                    self.server.fault(do, "PUT", part, times=1)
                    db = self.table()
                    self.assertEqual(self.write(db, self.ROWS), 2)
                    db.close()
                    self.assertEqual(sum(k.endswith(".sqlite") for k in self.server.objects), 2)
                    self.stored_once()

    def test_a_put_that_is_refused_for_a_while_is_stored_once(self):
        for status, code in ((409, "ConditionalRequestConflict"), (409, "OperationAborted"), (503, "SlowDown"), (500, "InternalError"),
                             (400, "RequestTimeout"), (429, "")):
            with self.subTest(status=status, code=code):
                self.server.objects.clear()
                self.server.faults.clear()
                self.server.fault(lambda e: e.fail(status, code), "PUT", times=2)
                db = self.table()
                self.assertEqual(self.write(db, self.ROWS), 2)
                db.close()
                self.stored_once()

    def test_a_put_that_is_refused_for_good_keeps_the_rows_and_says_why(self):
        for status, code, words in (
                (403, "AccessDenied", "access denied (HTTP 403 AccessDenied): s3://test/a/cpu/"),
                (403, "RequestTimeTooSkewed", "the server's clock and this machine's differ too much (clock skew)"),
                (503, "SlowDown", "the server cannot answer now (HTTP 503 SlowDown): s3://test/a/cpu/"),
                (409, "OperationAborted", "the server cannot answer now (HTTP 409 OperationAborted): s3://test/a/cpu/"),
                (507, "", "the server cannot answer now (HTTP 507): s3://test/a/cpu/")):
            with self.subTest(code or status):
                self.server.objects.clear()
                self.server.faults.clear()
                self.server.fault(lambda e: e.fail(status, code), "PUT", "2026-11-2")
                db = self.table(", flush_timeout='2s'")
                with self.assertRaises(sqlite3.Error) as caught:
                    self.write(db, self.ROWS)
                self.assertIn(words, str(caught.exception))
                self.assertIn("the rows are safe in the spool", str(caught.exception))
                self.assertNotIn("a-secret-nobody-may-see", str(caught.exception))
                rows, error = self.read(db)
                self.assertIsNone(error)
                self.assertEqual(rows, self.ROWS)
                self.assertEqual(db.execute("SELECT buffered_rows FROM ts_status('cpu')").fetchone()[0], len(self.ROWS))
                self.server.faults.clear()
                support.flush(db, "cpu")
                db.close()
                self.stored_once()

    def test_another_object_in_the_place_of_ours_is_not_taken_for_it(self):
        def other_bytes(exchange):
            self.server.objects[exchange.key] = b"somebody else's"
            exchange.close()

        self.server.fault(other_bytes, "PUT", "2026-11-23", times=1)
        db = self.table(", flush_timeout='1s'")
        with self.assertRaises(sqlite3.Error) as caught:
            self.write(db, self.ROWS)
        self.assertIn("another object of this name lies there already: s3://test/a/cpu/2026-11-23/", str(caught.exception))

    def test_whichever_request_fails_nothing_is_lost_and_nothing_is_doubled(self):
        """Of a run that writes, stores, reads and verifies, each request in turn fails in each way; then what failed is done again."""
        def refused(exchange):
            exchange.fail(403, "AccessDenied")

        def lost(exchange):
            exchange.close()

        def applied_and_lost(exchange):
            exchange.honest()
            exchange.fail(500, "InternalError")

        def run(answers):
            db = self.table(", flush_timeout='300ms'")
            for sql in ("SELECT ts_flush('cpu')", "SELECT ts, host, n, pad FROM cpu ORDER BY ts", "SELECT state FROM ts_verify('cpu')"):
                if sql.endswith("flush('cpu')"):
                    db.executemany("INSERT INTO cpu VALUES(?,?,?,?)", self.ROWS)
                try:
                    answers.append(db.execute(sql).fetchall())
                except sqlite3.Error as e:
                    self.assertIn("s3://test/a", str(e))
                    answers.append(None)
            return db

        whole = []
        run(whole).close()
        self.assertEqual(whole[1:], [self.ROWS, [("ok",), ("ok",)]])
        requests = len(self.server.requests)
        failures = 0
        for number in range(requests + 2):
            for do in (refused, lost, applied_and_lost):
                with self.subTest(request=number, fault=do.__name__):
                    self.server.objects.clear()
                    self.server.faults.clear()
                    self.server.fault(do, "*", skip=number, times=1)
                    answers = []
                    db = run(answers)
                    failures += self.server.faults[0][4] == 0
                    self.assertIn(answers[1], (None, self.ROWS))
                    self.assertIn(answers[2], (None, [("ok",), ("ok",)], [("ok",)], []))
                    self.server.faults.clear()
                    support.flush(db, "cpu")
                    db.close()
                    self.assertEqual(sum(k.endswith(".sqlite") for k in self.server.objects), 2)
                    self.stored_once()
        self.assertGreaterEqual(failures, 3 * requests)
        print(" %d requests failed in turn, in 3 ways" % requests, flush=True)


if __name__ == "__main__":
    unittest.main()
