# make_stored_example.py VERSION [STATE]: makes tests/data/format-VERSION[-STATE], an archive written by this build, and its rows.
#
# Run once for each format version, when it is new, and for each state of it that a reader can tell:
# /usr/bin/python3 tests/support/make_stored_example.py 2 checksums makes tests/data/format-2-checksums and
# format-2-checksums.expected. What it made is read by test_stored.py for ever and never made again, so an existing directory is an error.
# Needs unshare(1), so that the files name no real host. The expected rows come from an ordinary table, not from what was stored.
import glob
import os
import shutil
import socket
import sqlite3
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
from python import stock, support  # noqa: E402

TABLE = "cpu load"
COLUMNS = [("ts", "TIMESTAMP"), ("host", "TEXT TAG"), ("region", "TEXT TAG COLLATE NOCASE"), ("usage", "REAL"), ("n", "INTEGER NOT NULL"),
           ("note", "TEXT"), ("price", "DECIMAL(10,2)"), ("raw", "BLOB"), ("any", ""), ("group", "TEXT COLLATE RTRIM")]
T = 1795392000000  # 2026-11-23
LONG = {1: 300}  # rows of the longest series where a version holds plain rows; 1,600 make more than one chunk


def rows(version):
    special = [0.0, -0.0, 1.0, 0.1, 1e308, 5e-324, float("inf"), -float("inf"), None, 1 / 3]
    integers = [0, 1, -1, 2**63 - 1, -(2**63), 2**53 + 1, 2**62, -(2**62), 7, 7]
    texts = ["", "a", "A", "a\0b", "ü☃", "1", None, "x" * 300, "note", "note"]
    blobs = [b"", b"\0", b"a", b"\xff\xfe", None, b"1", bytes(range(256)), b"a", None, None]
    mixed = [1, 1.0, "1", b"1", None, -0.0, 0, "", b"", 2.5]
    for i in range(LONG.get(version, 1600)):  # two decimals, a counter, few texts; every ten seconds
        yield T + i * 10_000, "web1", "eu", (5000 + i * 7919 % 301) / 100, 1000 + i * 3, "state %d" % (i % 3), i % 9 / 4, None, i, "a"
    for i in range(40):
        k = i % 10
        yield (T + 86_400_000 * (i % 2) + i // 2 * 1000 + 17, [None, "web2", "web3"][i // 2 % 3], ["eu", "EU", "us"][i // 3 % 3],
               special[k], integers[(k + i // 10) % 10], texts[(k + i // 10) % 10], special[(k + 3) % 10], blobs[(k + i // 10) % 10],
               mixed[(k + i // 10) % 10], ["a", "a ", "b"][i % 3])
    yield from [(T + 5, "web2", "us", 1.5, 1, "twice", 1, b"x", "x", "x")] * 2


def fill(db, table, version):
    db.execute("BEGIN")
    db.executemany("INSERT INTO %s VALUES(%s)" % (stock.quoted(table), ",".join("?" * len(COLUMNS))), rows(version))
    db.execute("COMMIT")


def main(version, state):
    target = os.path.join(ROOT, "tests/data/format-%d%s" % (version, state and "-" + state))
    if os.path.exists(target):
        sys.exit("%s is there: a stored example is kept for ever as it is" % target)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_STATE_HOME"] = scratch
        archive = os.path.join(scratch, "archive")
        os.mkdir(archive)
        db = support.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE %s USING timeseries(%s, location='file://%s')"
                   % (stock.quoted(TABLE), ", ".join("%s %s" % (stock.quoted(n), d) for n, d in COLUMNS), archive))
        fill(db, TABLE, version)
        db.execute("SELECT ts_flush(?)", (TABLE,)).fetchone()
        files = glob.glob(archive + "/*/*/*.sqlite")
        if version == 1:  # plain rows: what does not pack, and what ts_unpack writes
            for path in files:
                db.execute("SELECT ts_unpack(?, ?)", (path, path + ".plain")).fetchone()
                os.replace(path + ".plain", path)
        db.close()
        found = []  # a file of few rows may be of an older one
        for path in files:
            file = sqlite3.connect(path)
            found += file.execute("PRAGMA user_version").fetchone()
            file.close()
        if max(found) != version:
            sys.exit("this build writes format %d, not %d" % (max(found), version))
        plain = sqlite3.connect(":memory:", isolation_level=None)
        plain.text_factory = stock.Text
        stock.create_plain(plain, TABLE, COLUMNS)
        fill(plain, TABLE, version)
        lines = sorted(stock.line(row) for row in plain.execute("SELECT * FROM " + stock.quoted(TABLE)))
        shutil.copytree(archive, target)
        with open(target + ".expected", "wb") as out:
            out.write(b"".join(text + b"\n" for text in lines))
        print("%s: %d rows in %d files of %d bytes" % (target, len(lines), len(files), sum(map(os.path.getsize, files))))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or not sys.argv[1].isdigit():
        sys.exit("usage: make_stored_example.py VERSION [STATE]")
    if os.environ.get("TIMESERIES_EXAMPLE_HOST") is None:
        os.environ["TIMESERIES_EXAMPLE_HOST"] = "set"
        os.execvp("unshare", ["unshare", "--uts", "--map-root-user", sys.executable, "-B", os.path.abspath(__file__), *sys.argv[1:]])
    socket.sethostname("example")
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else "")
