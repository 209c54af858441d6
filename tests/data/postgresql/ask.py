# Makes answers.json anew, out of a private PostgreSQL: python3 tests/data/postgresql/ask.py
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../.."))
from python import postgresql  # noqa: E402


def write(name, version, what, asked, answers):
    lines = [json.dumps([*one, answer], separators=(",", ":")) for one, answer in zip(asked, answers)]
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write('{"postgresql": %s, "%s": [\n%s]}\n' % (json.dumps(version), what, ",\n".join(lines)))


def main():
    postgresql.require()
    buckets, groups = postgresql.buckets(0, 3000), postgresql.groups(0, 100)
    with postgresql.Server() as server:
        version = server.lines("SHOW server_version")[0]
        write("answers.json", version, "buckets", buckets, postgresql.ask(server, buckets))
        write("statistics.json", version, "groups", groups, postgresql.ask_statistics(server, groups))


main()
