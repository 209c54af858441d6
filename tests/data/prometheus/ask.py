# Makes answers.json anew, out of a private Prometheus: python3 tests/data/prometheus/ask.py
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../.."))
from python import prometheus  # noqa: E402

SEEDS = 5


def main():
    prometheus.require()
    with tempfile.TemporaryDirectory() as directory:
        version, sets = prometheus.answered(directory, range(SEEDS))
    with open(os.path.join(HERE, "answers.json"), "w", encoding="utf-8") as f:
        f.write('{"prometheus": %s, "sets": [\n' % json.dumps(version))
        for i, one in enumerate(sets):
            lines = [json.dumps(item, separators=(",", ":")) for item in one["cases"]]
            f.write('{"series": %s,\n"cases": [\n%s]}%s\n' % (json.dumps(one["series"], separators=(",", ":")), ",\n".join(lines),
                                                            "," if i + 1 < len(sets) else ""))
        f.write("]}\n")


main()
