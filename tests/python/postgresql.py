# A private PostgreSQL, and random buckets of time and groups of numbers to ask it for.
#
# Server makes a cluster in a directory of its own, reached by a socket there, as an unprivileged user where root runs it. buckets(seed)
# are random [kind, width, ts_us, zone, origin_us], half of them near a change of the zone's clock; ask() gives each its start in us.
# groups(seed) are rows to aggregate; ask_statistics() gives each an answer for each of STATISTICS.
import datetime
import glob
import json
import os
import pwd
import random
import shutil
import subprocess
import tempfile
import zoneinfo

SECOND = 10 ** 6
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "Australia/Lord_Howe", "Asia/Kolkata",
         "Asia/Beirut", "Pacific/Apia", "America/Asuncion", "Europe/Dublin", "Asia/Tehran"]
FIRST, LAST = -1577923200, 1735689600  # 1920 to 2025: clocks that no later edition of the tz database changes
# date_trunc's unit: the width that says the same.
UNITS = {"second": "1s", "minute": "1m", "hour": "1h", "day": "1 day", "week": "1 week", "month": "1 month", "quarter": "3 months",
         "year": "1 year", "decade": "10 years"}
SHORT = [1, 7, 15, 60, 90, 300, 600, 900, 1800, 3600]  # seconds
LONG = [5400, 7200, 10800, 14400, 21600, 43200, 86400, 100000, 172800, 604800]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# From here fixed widths are counted without an origin.
GRID = "'2000-01-03'::timestamp"


def programs():
    """The directory of initdb and its like, or None: Debian keeps it out of PATH."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) + list(filter(None, [shutil.which("initdb")]))
    return os.path.dirname(os.path.realpath(found[0])) if found else None


def require():
    """Fails with a sentence unless PostgreSQL is here: a law that was not looked at does not count as held."""
    if not programs():
        raise AssertionError("no PostgreSQL here: install the packages of the group check in .ci/packages.txt")


class Server:
    def __enter__(self):
        self.account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        # Not below the test's own directory: another user must reach it, and a socket's path is short.
        self.directory = tempfile.mkdtemp(prefix="timeseries-pg-", dir="/tmp")
        if self.account:
            os.chown(self.directory, self.account.pw_uid, self.account.pw_gid)
        self.data = self.directory + "/data"
        try:
            self.run("initdb", "-D", self.data, "-A", "trust", "-U", "asker", "--no-sync", "--locale=C")
            self.run("pg_ctl", "-D", self.data, "-l", self.directory + "/log", "-w", "start", "-o",
                     "-c listen_addresses='' -c fsync=off -c unix_socket_directories=" + self.directory)
        except BaseException:
            shutil.rmtree(self.directory)
            raise
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.directory)

    def run(self, program, *arguments, text=""):
        other = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []} if self.account else {}
        with open(self.directory + "/out", "w+", encoding="utf-8") as out:  # a pipe would stay open as long as the server runs
            done = subprocess.run([os.path.join(programs(), program), *arguments], cwd="/", text=True, stdout=out, stderr=out, input=text,
                                  env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, **other)
            out.seek(0)
            told = out.read()
        if done.returncode != 0:
            raise AssertionError("%s: %s" % (program, told[-2000:]))
        return told

    def lines(self, sql):
        """What the statements print, a row a line."""
        return self.run("psql", "-h", self.directory, "-U", "asker", "-d", "postgres", "-XqAt", "-v", "ON_ERROR_STOP=1",
                        text=sql).splitlines()


def clock_change(rng, zone):
    """A second near which the zone's clock changed, or any one if it did not change for half a year."""
    low = rng.randrange(FIRST, LAST)
    high = low + 183 * 86400
    shown = zone_offset(zone, low)
    if shown == zone_offset(zone, high):
        return low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if zone_offset(zone, middle) == shown else (low, middle)
    return high + rng.randrange(-10800, 10800)


def zone_offset(zone, second):
    return (EPOCH + datetime.timedelta(seconds=second)).astimezone(zone).utcoffset()


def bucket(rng):
    zone = rng.choice(ZONES)
    second = clock_change(rng, zoneinfo.ZoneInfo(zone)) if rng.random() < 0.5 else rng.randrange(FIRST, LAST)
    ts = second * SECOND + rng.choice((0, rng.randrange(SECOND)))
    kind = rng.choice(("trunc", "trunc", "bin", "local", "short"))
    origin = rng.randrange(FIRST, LAST) * SECOND + rng.choice((0, rng.randrange(SECOND)))
    if kind == "trunc":
        return [kind, rng.choice(list(UNITS)), ts, zone, None]
    if kind == "bin":
        return [kind, rng.choice(SHORT + LONG), ts, None, rng.choice((None, origin))]
    if kind == "local":
        return [kind, rng.choice(LONG), ts, zone, rng.choice((None, origin))]
    return [kind, rng.choice(SHORT), ts, zone, None]


def buckets(seed, count):
    rng = random.Random("buckets %d" % seed)
    return [bucket(rng) for _ in range(count)]


def question(kind, width, ts, zone, origin):
    """SQL of the bucket's start, a timestamptz."""
    at = "('epoch'::timestamptz + %d * interval '1 microsecond')"
    source, beginning = at % ts, at % origin if origin is not None else GRID
    if kind == "trunc":
        return "date_trunc('%s', %s, '%s')" % (width, source, zone)
    if kind == "bin":
        return "date_bin('%d seconds', %s, %s)" % (width, source, beginning if origin is not None else GRID + " AT TIME ZONE 'UTC'")
    local = "(%s AT TIME ZONE '%s')" % (source, zone)
    if kind == "local":
        if origin is not None:
            beginning = "(%s AT TIME ZONE '%s')" % (beginning, zone)
        return "date_bin('%d seconds', %s, %s) AT TIME ZONE '%s'" % (width, local, beginning, zone)
    return "%s - (%s - date_bin('%d seconds', %s, %s))" % (source, local, width, local, GRID)  # keeps the clock's offset


def ask(server, asked):
    """The start of each, in microseconds."""
    sql = "".join("SELECT (extract(epoch FROM %s) * 1000000)::bigint;\n" % question(*one) for one in asked)
    return [int(line) for line in server.lines(sql)]


# Aggregate: how PostgreSQL calls it over rows (y, x), with the share p.
STATISTICS = {"percentile_cont(y, %(p)s)": "percentile_cont(%(p)s) WITHIN GROUP (ORDER BY y)",
              "mode(y)": "mode() WITHIN GROUP (ORDER BY y)"}
STATISTICS.update({call: call for call in (
    "stddev_pop(y)", "stddev_samp(y)", "var_pop(y)", "var_samp(y)", "covar_pop(y, x)", "covar_samp(y, x)", "corr(y, x)", "regr_slope(y, x)",
    "regr_intercept(y, x)", "regr_r2(y, x)", "sum(width_bucket(y, -%(p)s - 1, 5, 7))", "sum(width_bucket(y, 5, -%(p)s - 1, 3))")})


def groups(seed, count):
    """Random groups [p, [[y, x], ...]]: few or many rows, with NULL, equals, lines, and columns that do not vary."""
    rng, found = random.Random("groups %d" % seed), []
    for _ in range(count):
        y, x = (rng.choice((lambda: rng.gauss(0, 3), lambda: rng.randrange(-4, 7), lambda: rng.gauss(1000, 1), lambda: 2.5)) for _ in "yx")
        rows = [[float(y()), float(x())] for _ in range(rng.choice((0, 1, 2, 3, 10, 60)))]
        if rng.random() < 0.2:
            rows = [[3 * b - 1, b] for _, b in rows]
        found.append([round(rng.random(), 3), [[None if rng.random() < 0.05 else value for value in row] for row in rows]])
    return found


def rows_sql(rows, real):
    """The rows as a subquery; `real` is the type of both columns."""
    values = ["(%s)" % ",".join("NULL" if value is None else repr(value) for value in row) for row in rows] or ["(NULL,NULL)"]
    return "(SELECT CAST(column1 AS %s) AS y, CAST(column2 AS %s) AS x FROM (VALUES %s) AS rows)" % (real, real, ",".join(values))


def ask_statistics(server, asked):
    """Of each group an answer for each of STATISTICS."""
    sql = "".join("SELECT json_build_array(%s) FROM %s AS g;\n" % (", ".join(STATISTICS.values()) % {"p": p}, rows_sql(rows, "float8"))
                  for p, rows in asked)
    return [json.loads(line.replace("NaN", "null")) for line in server.lines(sql)]
