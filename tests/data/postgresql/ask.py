# Makes answers.json anew, out of a private PostgreSQL: python3 tests/data/postgresql/ask.py
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../.."))
from python import postgresql  # noqa: E402


def main():
    postgresql.require()
    asked = postgresql.buckets(0, 3000)
    with postgresql.Server() as server:
        version = server.lines("SHOW server_version")[0]
        answers = postgresql.ask(server, asked)
    lines = [json.dumps([*one, answer], separators=(",", ":")) for one, answer in zip(asked, answers)]
    with open(os.path.join(HERE, "answers.json"), "w", encoding="utf-8") as f:
        f.write('{"postgresql": %s, "buckets": [\n%s]}\n' % (json.dumps(version), ",\n".join(lines)))


main()
