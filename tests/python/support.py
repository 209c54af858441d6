# What every Python test needs: the module, connections, a home of its own, archives at fresh places, and the sqlite3 shell.
#
# A test case inherits from TimeseriesCase: it has a directory self.dir, XDG_STATE_HOME inside of it (so no spool ever
# touches the home directory), self.connect() and self.s3_location(). Child processes inherit that environment.
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The product, and its twin whose failpoints the environment variable TIMESERIES_FAILPOINT sets off.
PRODUCT = os.environ.get("TIMESERIES_SO") or os.path.join(ROOT, "timeseries.so")
WITH_FAILPOINTS = os.environ.get("TIMESERIES_FAILPOINTS_SO") or os.path.join(ROOT, "build/default/timeseries_failpoints.so")
# Preloaded into hosts that were not built with the sanitizer; empty in ordinary runs.
PRELOAD = os.environ.get("TIMESERIES_PRELOAD", "")
SANITIZE = os.environ.get("SANITIZE", "")
BUCKET = "test"

# How long the loops go on: small in make test, larger in make check.
KILL_ROUNDS = int(os.environ.get("TIMESERIES_KILL_ROUNDS", "20"))
DIFFERENTIAL_QUERIES = int(os.environ.get("TIMESERIES_DIFFERENTIAL_QUERIES", "2000"))
FUZZ_SECONDS = int(os.environ.get("TIMESERIES_FUZZ_SECONDS", "5"))
# How many of the calls that may fail do so in turn, spread evenly; 0: each of them.
FAULT_STEPS = int(os.environ.get("TIMESERIES_FAULT_STEPS", "40"))
# In how many states of a disk that lost power a table is opened, and the dice that chose them.
POWER_STATES = int(os.environ.get("TIMESERIES_POWER_STATES", "60"))
POWER_SEED = int(os.environ.get("TIMESERIES_POWER_SEED", "1"))
# How long the store is away, altogether, while the inserting thread's system calls are counted.
OUTAGE_SECONDS = int(os.environ.get("TIMESERIES_OUTAGE_SECONDS", "5"))
# How many files a reader with few descriptors and little memory goes through.
HOST_FILES = int(os.environ.get("TIMESERIES_HOST_FILES", "400"))
# How many processes write into a replicated store while one of its disks is killed.
MANY_WRITERS = int(os.environ.get("TIMESERIES_MANY_WRITERS", "4"))
# How many random data sets a live Prometheus and a live PostgreSQL are asked over; 0: neither is needed.
ORACLE_SEEDS = int(os.environ.get("TIMESERIES_ORACLE_SEEDS", "0"))
# Everything that waits multiplies its limit by this: sanitized code is slow.
PATIENCE = 10 if SANITIZE else 1


def load(db, so=None):
    """Loads the extension into a connection by its absolute path."""
    db.enable_load_extension(True)
    # The entry point by its name: SQLite would guess another one from the name of the build with failpoints.
    db.execute("SELECT load_extension(?, 'sqlite3_timeseries_init')", (os.path.splitext(os.path.abspath(so or PRODUCT))[0],)).fetchone()
    db.enable_load_extension(False)
    return db


def connect(path=":memory:", so=None, **arguments):
    """A connection with the extension loaded; a path that begins with file: is a URI."""
    arguments.setdefault("uri", str(path).startswith("file:"))
    return load(sqlite3.connect(path, **arguments), so)


def environment(**more):
    """The environment for a child process; None removes a variable."""
    env = dict(os.environ)
    if PRELOAD:
        env["LD_PRELOAD"] = PRELOAD
    for key, value in more.items():
        if value is None:
            env.pop(key, None)
        else:
            env[key] = str(value)
    return env


def flush(db, table):
    """ts_flush for tables with a tiny flush_timeout, as tests have them that also wait for one: tries again on a busy machine."""
    for _ in range(100):
        try:
            return db.execute("SELECT ts_flush(?)", (table,)).fetchone()[0]
        except sqlite3.OperationalError as e:
            if "gave up after" not in str(e):
                raise
    raise AssertionError("ts_flush made no progress in 100 tries")


def shell(sql, database=":memory:", so=None, load_extension=True, arguments=(), timeout=60, check=True, env=None):
    """Runs SQL in the stock sqlite3 shell; returns (stdout, stderr, code). load_extension=False: exactly what any user has."""
    script = sql
    if load_extension:
        script = ".load %s\n%s" % (os.path.splitext(os.path.abspath(so or PRODUCT))[0], sql)
    done = subprocess.run(["sqlite3", "-batch", "-bail", *arguments, str(database)], input=script, text=True, capture_output=True,
                          timeout=timeout * PATIENCE, env=env or environment())
    if check and done.returncode != 0:
        raise AssertionError("sqlite3 ended with %d: %s" % (done.returncode, done.stderr))
    return done.stdout, done.stderr, done.returncode


def python(code, *arguments, so=None, timeout=60, check=True, env=None):
    """Runs Python code in a process of its own, with `support` imported and db = connect(); returns the CompletedProcess."""
    prelude = "import sys; sys.path.insert(0, %r)\nfrom python import support\n" % os.path.join(ROOT, "tests")
    if so:
        prelude += "support.PRODUCT = %r\n" % os.path.abspath(so)
    done = subprocess.run([sys.executable, "-c", prelude + code, *map(str, arguments)], text=True, capture_output=True,
                          timeout=timeout * PATIENCE, env=env or environment())
    if check and done.returncode != 0:
        raise AssertionError("python ended with %d: %s" % (done.returncode, done.stderr))
    return done


class TimeseriesCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="timeseries-py-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.setenv("XDG_STATE_HOME", os.path.join(self.dir, "state"))
        os.mkdir(os.environ["XDG_STATE_HOME"])
        self.setenv("TIMESERIES_HEDGE", "off")  # tests count requests, also on a machine that stalls; test_hedge turns it on

    def setenv(self, name, value):
        """Sets an environment variable (None: removes it) until the end of the test."""
        before = os.environ.get(name)
        self.addCleanup(_put_environment, name, before)
        _put_environment(name, value)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def connect(self, path=":memory:", so=None, **arguments):
        """connect(), closed at the end of the test."""
        db = connect(path, so, **arguments)
        self.addCleanup(db.close)
        return db

    def file_location(self, name="archive"):
        """'file:///...' of a new directory of this test."""
        os.makedirs(self.path(name), exist_ok=True)
        return "file://" + self.path(name)

    def s3_location(self):
        """'s3://test/<fresh prefix>' on the test server; the endpoint comes from the environment, as a user's would."""
        if "S3_ENDPOINT" not in os.environ:
            self.skipTest("no S3 server: run tests/run.sh")
        self.setenv("AWS_ENDPOINT_URL_S3", os.environ["S3_ENDPOINT"])
        return "s3://%s/%s" % (BUCKET, uuid.uuid4().hex)

    def assertFails(self, db, sql, text, arguments=(), error=sqlite3.Error):
        """The statement fails, and its message is exactly `text`."""
        with self.assertRaises(error) as caught:
            db.execute(sql, arguments).fetchall()
        self.assertEqual(str(caught.exception), text)

    def assertKilled(self, done):
        """A child process ended by SIGKILL, as a failpoint with =kill does it."""
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)


def _put_environment(name, value):
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
