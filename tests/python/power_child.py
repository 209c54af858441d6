# The two processes of a loss of power: one writes and is recorded, the other recovers what the disk is left with, state after state.
#
# `python -m python.power_child record JSON` with tests/support/shim preloaded; `python -m python.power_child recover JSON`.
import collections
import json
import os
import random
import signal
import sqlite3
import sys
import traceback

from python import power_loss, shim, spool_child, support

START = spool_child.START


def declare(db, arguments, spool="spool", name="cpu"):
    root = arguments["root"]
    spool_child.declare(db, "file://%s/archive" % root, "spool='%s/%s/%s', durability='%s', flush_timeout='1s'" %
                        (root, "home", spool, arguments["durability"]), name)


class Recorded:
    """Writes rows n = 0, 1, 2... and notes in the recording what was tried, acknowledged, refused and flushed."""

    def __init__(self, arguments):
        self.arguments, self.lib, self.n = arguments, shim.library(), 0
        self.db = self.connect()

    def connect(self):
        db = support.connect(isolation_level=None)
        if self.arguments["durability"] == "mixed":
            other = dict(self.arguments, durability="normal")
            declare(db, other, name="mem")
            db.execute("INSERT INTO mem VALUES(?, 'x', 0, NULL)", (START,))
        declare(db, dict(self.arguments, durability=self.durability()))
        return db

    def durability(self):
        return "full" if self.arguments["durability"] == "mixed" else self.arguments["durability"]

    def note(self, *words):
        self.lib.shim_note(" ".join(map(str, words)).encode())

    def one(self, db, ids):
        for n in ids:
            db.execute("SELECT ts_insert('cpu', ?, 'w', ?, NULL)", (START + n, n)).fetchall()

    def several(self, db, ids, end="COMMIT"):
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?, 'w', ?, randomblob(300))", [(START + n, n) for n in ids])
        db.execute(end)

    def commit(self, how, count, word="ok", **more):
        ids = range(self.n, self.n + count)
        self.n += count
        self.note("try", *ids)
        how(self.db, ids, **more)
        self.note(word, *ids)

    def flush(self):
        upto = self.n
        support.flush(self.db, "cpu")
        self.note("flushed", upto)

    def life(self):
        for i in range(self.arguments["rounds"]):
            self.commit(self.one, 1)
            self.commit(self.several, 4)
            self.commit(self.several, 2, word="no", end="ROLLBACK")
            other = self.db
            self.db = self.connect()
            self.commit(self.one, 1)
            self.flush()
            self.commit(self.one, 1)
            self.db.close()
            self.db = other
            self.commit(self.several, 3)
            if i % 2:
                self.flush()
                self.db.close()
                self.db = self.connect()
        self.db.close()


def record(arguments):
    root = arguments["root"]
    os.makedirs(root + "/archive")
    recorded = shim.library()
    recorded.shim_files(root.encode())
    recorded.shim_record(arguments["log"].encode())
    Recorded(arguments).life()


class Promises:
    """What was told the writer up to an event."""

    def __init__(self):
        self.acknowledged, self.refused, self.flushed, self.trying, self.transactions = [], [], 0, [], []

    def note(self, words):
        ids = [int(n) for n in words[1:]]
        if words[0] == "try":
            self.trying = ids
            self.transactions.append(ids)
        elif words[0] == "flushed":
            self.flushed = ids[0]
        else:
            (self.acknowledged if words[0] == "ok" else self.refused).extend(ids)
            self.trying = []

    def judge(self, found, full, where):
        counts = collections.Counter(found)
        twice = [n for n, count in counts.items() if count > 1]
        must = [n for n in self.acknowledged if full or n < self.flushed]
        lost = [n for n in must if n not in counts]
        strange = [n for n in counts if n in self.refused or n not in self.acknowledged + self.trying]
        torn = [ids for ids in self.transactions if 0 < sum(n in counts for n in ids) < len(ids)]
        if twice or lost or strange or torn:
            raise AssertionError("%s: lost %r, twice %r, not acknowledged %r, torn %r" %
                                 (where, lost[:9], twice[:9], strange[:9], torn[:3]))


def recovered(arguments, promises):
    """In a fork, over one state of the disk."""
    full = arguments["durability"] != "normal"
    db = support.connect(isolation_level=None)
    declare(db, dict(arguments, durability="full" if full else "normal"))

    def numbers(connection):
        return [n for (n,) in connection.execute("SELECT n FROM cpu ORDER BY n")]

    before = numbers(db)
    promises.judge(before, full, "in the spool")
    db.execute("SELECT ts_insert('cpu', ?, 'w', -5, NULL)", (START,)).fetchall()
    support.flush(db, "cpu")
    after = numbers(db)
    if after != [-5] + before:
        raise AssertionError("flushed after the loss: %r, before %r" % (after, before))
    problems = db.execute("SELECT name, problem FROM ts_verify('cpu') WHERE problem IS NOT NULL").fetchall()
    db.close()
    alone = support.connect(isolation_level=None)
    declare(alone, dict(arguments, durability="full"), spool="alone")
    if numbers(alone) != after or problems:
        raise AssertionError("the archive alone: %r, with the spool %r, problems %r" % (numbers(alone), after, problems))


def recover(arguments):
    log = list(power_loss.events(arguments["log"]))
    root, states, dice = arguments["root"], arguments["states"] or len(log), random.Random(arguments["seed"])
    support.connect().close()
    disk, promises, done = power_loss.Disk(root, [root + "/archive"]), Promises(), 0
    for number, (words, data) in enumerate(log):
        promises.note(words[1:]) if words[0] == "N" else disk.event(words, data)
        if (number + 1) * states // len(log) == done:
            continue
        done += 1
        disk.build(root, *power_loss.fates(dice))
        pid = os.fork()
        if pid == 0:
            signal.alarm(arguments["limit"])
            try:
                recovered(arguments, promises)
                os._exit(0)
            except BaseException as e:
                short = isinstance(e, (AssertionError, sqlite3.Error))
                print(json.dumps({"event": number, "after": " ".join(words)[:160], "wrong": repr(e) if short else traceback.format_exc()}),
                      flush=True)
                os._exit(1)
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            print(json.dumps({"event": number, "after": " ".join(words)[:160], "wrong": "died of %d" % os.WTERMSIG(status)}), flush=True)
        if status and arguments.get("keep"):
            os.rename(root, "%s-%d" % (root, number))
    print(json.dumps({"events": len(log), "states": done, "rows": len(promises.acknowledged)}), flush=True)


if __name__ == "__main__":
    {"record": record, "recover": recover}[sys.argv[1]](json.loads(sys.argv[2]))
