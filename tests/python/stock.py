# SQLite alone, of several versions, and rows written so that two of them are equal only if types and bits are.
#
# tests/support/stock-sqlite.sh makes the programs (tests/run.sh calls it); stock_query.c says how a row is written.
import collections
import os
import struct
import subprocess

from . import support

DIRECTORY = os.environ.get("TIMESERIES_STOCK") or os.path.join(support.ROOT, "build/stock")
# The oldest SQLite that is to read our files, one between, a new one, and this machine's.
VERSIONS = ("3.31.1", "3.38.2", "3.53.2", "system")


class Text(bytes):
    """TEXT by its bytes, also where they are no UTF-8 or hold a NUL: what a connection's text_factory is to be."""


def require():
    """Fails with a sentence unless every version is there: a law that was not looked at does not count as held."""
    missing = [v for v in VERSIONS if not os.access(program(v), os.X_OK)]
    if missing:
        raise AssertionError("no stock SQLite %s in %s: tests/support/stock-sqlite.sh makes them and says what hinders it"
                             % (", ".join(missing), DIRECTORY))


def program(version):
    return os.path.join(DIRECTORY, version, "stock_query")


def query(version, path, *statements):
    """The answers of the statements, each a list of lines (bytes)."""
    # Not ours to look into: it runs without a sanitizer.
    done = subprocess.run([program(version), path, *statements], capture_output=True, timeout=120 * support.PATIENCE,
                          env=support.environment(LD_PRELOAD=None))
    if done.returncode != 0:
        raise AssertionError("SQLite %s on %s: %s" % (version, path, done.stderr.decode(errors="replace")))
    answers, lines = [], []
    for line in done.stdout.split(b"\n")[:-1]:
        if line:
            lines.append(line)
        else:
            answers.append(lines)
            lines = []
    assert len(answers) == len(statements) and not lines, done.stdout[-200:]
    return answers


def value(v):
    """As stock_query writes it."""
    if v is None:
        return b"n"
    if isinstance(v, int):
        return b"i%d" % v
    if isinstance(v, float):
        return b"r" + struct.pack(">d", v).hex().encode()
    if isinstance(v, str):
        v = Text(v.encode())
    return b"%c%d:%s" % (b"t" if isinstance(v, Text) else b"b", len(v), v.hex().encode())


def line(row):
    return b"|".join(map(value, row))


def parsed(text):
    """The values of a line; TEXT as str."""
    values = []
    for field in text.split(b"|"):
        kind, rest = field[:1], field[1:]
        if kind in (b"t", b"b"):
            rest = bytes.fromhex(rest.split(b":")[1].decode())
        values.append({b"n": lambda r: None, b"i": int, b"r": lambda r: struct.unpack(">d", bytes.fromhex(r.decode()))[0],
                       b"t": lambda r: r.decode(errors="replace"), b"b": bytes}[kind](rest))
    return tuple(values)


def quoted(name):
    return '"%s"' % name.replace('"', '""')


def difference(expected, found):
    """What to print of two bags of lines that are not equal; empty if they are."""
    expected, found = list(expected), list(found)
    if len(expected) == len(found) and sorted(expected) == sorted(found):
        return ""
    expected, found = collections.Counter(expected), collections.Counter(found)
    lost, more = list((expected - found).elements()), list((found - expected).elements())

    def shown(lines):
        return "".join("\n    %s" % (text[:300].decode()) for text in sorted(lines)[:5])
    return "%d rows are missing:%s\n  %d rows are foreign:%s" % (len(lost), shown(lost), len(more), shown(more))


def plain_declaration(declaration):
    """Of a column of a timeseries table: what an ordinary table declares for it."""
    words = declaration.replace("TIMESTAMP", "INTEGER").replace("NOT NULL", "").split()
    return " ".join(w for w in words if w != "TAG")


def create_plain(db, table, columns):
    """The ordinary table that is the measure of all: columns are (name, declaration as in the timeseries table)."""
    db.execute("CREATE TABLE %s(%s)" % (quoted(table), ", ".join("%s %s" % (quoted(n), plain_declaration(d)) for n, d in columns)))
