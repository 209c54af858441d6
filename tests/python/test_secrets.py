# No secret in anything that is kept or told: errors, the log, facts, the database, the spool, the cache, the archive.
#
# A run meets every kind of failure with secrets that no other text holds; then everything it left behind is searched for them.
import os
import re
import sqlite3
import unittest

from . import faulty_s3, support

SECRETS = {"AWS_SECRET_ACCESS_KEY": "kEy+that/nobody=mayread0123456789ABCDEFG", "AWS_SESSION_TOKEN": "ToKen/that+nobody==mayread"}
RUN = """
import json
ERRORS = []
db = support.connect(sys.argv[1], isolation_level=None)
def run(sql, *arguments):
    try:
        return db.execute(sql, arguments).fetchall()
    except support.sqlite3.Error as e:
        ERRORS.append(str(e))
run("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, v REAL, location='s3://test/a', spool='%s', cache_dir='%s', "
    "flush_timeout='300ms')" % (sys.argv[2], sys.argv[3]))
run("INSERT INTO cpu VALUES('2026-11-23', 'a', 1.5)")
run("SELECT ts_flush('cpu')")
run("SELECT * FROM cpu")
run("SELECT * FROM ts_verify('cpu')")
for name in ("ts_status('cpu')", "ts_files('cpu')", "ts_last_query()"):
    print(run("SELECT * FROM " + name))
print(run("SELECT timeseries_debug()"))
secret = support.os.environ["AWS_SECRET_ACCESS_KEY"]
for option in ("secret_access_key='%s'", "location='s3://key:%s@bucket/x'", "endpoint='https://key:%s@host'", "nonsense='%s'"):
    run("CREATE VIRTUAL TABLE temp.t USING timeseries(ts TIMESTAMP, %s)" % (option % secret))
for uri in ("file:https://h.invalid/x?X-Amz-Signature=%s&vfs=http", "file:https://u:%s@h.invalid/x?vfs=http",
            "file:s3://test/x.sqlite?vfs=s3&secret=%s"):
    try:
        secret_in_url = secret.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        support.sqlite3.connect(uri % secret_in_url, uri=True).execute("SELECT 1 FROM x")
    except support.sqlite3.Error as e:
        ERRORS.append(str(e))
print(run("SELECT timeseries_debug()"))
print(json.dumps(ERRORS))
"""


def forms(secret):
    """The secret as it is, and as it stands in a URL or in JSON."""
    import base64
    import json
    import urllib.parse
    return {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret), json.dumps(secret)[1:-1],
            base64.b64encode(secret.encode()).decode().rstrip("=")}


class Secrets(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.server = faulty_s3.FaultyS3()
        self.addCleanup(self.server.close)

    def left_behind(self):
        """(where, bytes) of everything below the test's directory."""
        for directory, _, files in os.walk(self.dir):
            for name in files:
                path = os.path.join(directory, name)
                yield path, os.path.join(directory, name).encode()
                with open(path, "rb") as f:
                    yield path, f.read()

    def test_no_secret_in_what_is_kept_and_told(self):
        answers = ((403, "SignatureDoesNotMatch"), (403, "InvalidAccessKeyId"), (500, "InternalError"), (400, "ExpiredToken"),
                   (301, "PermanentRedirect"), (403, "AccessDenied"))
        faults = [None] + [lambda e, a=a: e.fail(*a) for a in answers]
        echo = "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>%s</StringToSign><Message>%s</Message></Error>"
        echo %= tuple(SECRETS.values())
        faults.append(lambda e: e.reply(403, {}, echo.encode()))
        told = 0
        for number, fault in enumerate(faults):
            self.server.faults.clear()
            for kind in ("GET", "PUT", "LIST"):
                if fault:
                    self.server.fault(fault, kind)
            done = support.python(RUN, self.path("main%d.db" % number), self.path("spool%d" % number), self.path("cache%d" % number),
                                  env=support.environment(AWS_ENDPOINT_URL_S3=self.server.url, AWS_ACCESS_KEY_ID="AKIDNOSECRET",
                                                          AWS_REGION="us-east-1", **SECRETS))
            told += len(re.findall(r"s3: |secrets do not belong|vfs", done.stdout))
            found = [("stdout", done.stdout.encode()), ("stderr", done.stderr.encode()), *self.left_behind(), *self.server.objects.items()]
            self.assertGreater(len(found), 8)
            for name, secret in SECRETS.items():
                for form in forms(secret):
                    self.assertEqual([where for where, data in found if form.encode() in data], [], "%s as %s" % (name, form))
        self.assertGreater(told, 30, "errors were told")

    def test_the_search_finds_what_is_there(self):
        with open(self.path("x"), "w") as f:
            f.write("a " + SECRETS["AWS_SECRET_ACCESS_KEY"])
        self.assertEqual([w for w, data in self.left_behind() if SECRETS["AWS_SECRET_ACCESS_KEY"].encode() in data], [self.path("x")])


if __name__ == "__main__":
    unittest.main()
