# The cookbook's PromQL asked of Prometheus itself, over the cookbook's metrics and at several times: the numbers are the recipes'.
#
# A recipe's queries, divided by commas, are its columns of values from the left to the right. Asked in make check only.
import datetime
import itertools
import json
import math
import os
import random
import re

from . import cookbook, prometheus, support

EVALUATED = 1795428000000  # 2026-11-23T10:00:00Z
MINUTE = 60000
TIMES = [EVALUATED + thirds * MINUTE // 3 for thirds in range(-24, 11)]
# Metric: the column of its value.
METRICS = {"cpu": "usage", "cpu_limit": "limit", "region_info": "value", "http_requests_total": "value", "request_duration_bucket": "value"}
# What a server may refuse as too new for it; as soon as it answers, it is compared.
NEWER = re.compile(r" (anchored|smoothed)\b|\[5m \*|\bfill(_left|_right)?\(|\b(first_over_time|ts_of_\w+|mad_over_time|max_of|min_of|"
                   r"sort_by_label(_desc)?|timeseries_gen|integral)\(")
# Recipe: why the server's answer is another one.
OTHERWISE = {"limitk": "any k may be taken", "limit_ratio": "which ones, a hash of the labels decides",
             "histogram_fraction": "Prometheus 2 takes native histograms only", "info": "the query tells of the info series in words",
             "histogram_quantiles": "a label there is a column here"}
# Queries of fixed times: grids, and multiples of a subquery's resolution.
FIXED = re.compile(r" from |\[5m:1m\]")
# Labels that the recipes make.
MADE = {"usage", "place", "number"}
# Queries of Prometheus 2 where it writes or answers the same otherwise.
OLDER = {"double_exponential_smoothing(": "holt_winters(", "[5m:1m]": "[299s:1m]"}  # its ranges have their left end in them


def clock(ts):
    return datetime.datetime.fromtimestamp(ts // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def queries(text):
    """[(query, (start, stop, step) or None)] of a recipe's query."""
    grid = re.search(r"\s+from (\d\d):(\d\d) to (\d\d):(\d\d), step (\d+)m$", text)
    bounds = None
    if grid:
        text = text[:grid.start()]
        a, b, c, d, step = map(int, grid.groups())
        day = EVALUATED - 10 * 60 * MINUTE
        bounds = (day + (a * 60 + b) * MINUTE, day + (c * 60 + d) * MINUTE, step * MINUTE)
    found, depth, quote = [""], 0, None
    for c in text:
        if quote or c in "\"'`":
            quote = None if c == quote else quote or c
        elif c in "([{" or c in ")]}":
            depth += 1 if c in "([{" else -1
        if c == "," and not depth and not quote:
            found.append("")
        else:
            found[-1] += c
    return [(query.strip(), bounds) for query in found]


def plain(value):
    """A label or number as both sides write it."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value or ""
    return None if math.isnan(number) else number


def near(a, b):
    return a == b or isinstance(a, float) and isinstance(b, float) and abs(a - b) <= 1e-9 * abs(b) + 1e-12


def other_samples(seed):
    """The text of a data set with random samples: gauges without equals, counters that begin anew, but never from 0 (Inf is NULL here).

    A counter's first value is at least twice what it can rise in a minute: otherwise Prometheus 2 and 3 extrapolate it differently.
    """
    rng = random.Random("samples %d" % seed)

    def counter(samples):
        most = rng.choice((2, 40, 1000))
        counts = [2 * most]
        for _ in samples[1:]:
            counts.append(1 + rng.randrange(most) if rng.random() < 0.1 else counts[-1] + rng.randrange(most))
        return counts

    def replaced(text):
        gauges, below = iter(rng.sample(range(100, 10000), 1000)), None
        for line in text.splitlines(keepends=True):
            array = re.search(r"'(\[[\d.,]+\])'", line)
            if line.startswith("CREATE VIRTUAL TABLE"):
                metric = re.search(r"temp\.(\w+)", line)[1]
            if array:
                samples = json.loads(array[1])
                if metric == "cpu":
                    samples = [next(gauges) / 100 for _ in samples]
                elif metric == "http_requests_total":
                    samples = counter(samples)
                else:
                    more = list(itertools.accumulate((rng.randrange(30) for _ in samples[1:]), initial=60))
                    below = more if " 0.1" in line else [a + b for a, b in zip(below, more)]
                    samples = below
                line = line.replace(array[1], json.dumps(samples))
            yield line

    return lambda path: "".join(replaced(cookbook.read(path))) if path.endswith("metrics.sql") else cookbook.read(path)


def rows_of(db, sql):
    """[(column names, rows)] of the statements that answer."""
    for statement in cookbook.statements(sql):
        cursor = db.execute(statement)
        if cursor.description:
            yield [d[0] for d in cursor.description], cursor.fetchall()


def at_time(sql, ts):
    """SQL that says when it asks, with another time; selectors and views look back five minutes."""
    shift = {clock(EVALUATED - before): clock(ts - before) for before in (0, prometheus.LOOKBACK)}
    return re.sub("|".join(shift), lambda found: shift[found.group()], sql)


def views_at(db, ts):
    """The views ..._now, which are what an instant selector sees, at another time."""
    data = cookbook.read(os.path.join(cookbook.BOOK, "data/metrics.sql"))
    for view, text in re.findall(r"^CREATE TEMP VIEW (\w+) AS\n(.*?);$", data, re.M | re.S):
        db.execute("DROP VIEW %s" % view)
        db.execute("CREATE TEMP VIEW %s AS %s" % (view, at_time(text, ts)))


class CookbookAsked(support.TimeseriesCase):
    def series(self, db):
        """The metrics' tables as series of Prometheus."""
        for metric, column in METRICS.items():
            cursor, found = db.execute('SELECT * FROM "%s" ORDER BY ts' % metric), {}
            for row in [dict(zip((d[0] for d in cursor.description), row)) for row in cursor]:
                labels = {k: prometheus.value_text(v) if isinstance(v, float) else v for k, v in row.items() if k not in ("ts", column)}
                one = found.setdefault(tuple(labels.items()), {"labels": {"__name__": metric, **labels}, "samples": []})
                one["samples"].append([row["ts"], row[column]])
            yield from found.values()

    def asked(self, server, query, bounds, ts):
        """[labels with "time" and "value"], or None where the server does not know the query."""
        for new, old in OLDER.items():
            query = query.replace(new, old)
        try:
            answer = server.range(query, *bounds) if bounds else server.instant(query, ts)
        except AssertionError as e:
            self.assertRegex(str(e), "unknown function with name|parse error")
            self.assertRegex(query, NEWER)
            return None
        found = []
        for labels, values in answer:
            labels = {"name" if k == "__name__" else k: v for k, v in labels.items()}
            found += [{**labels, "time": clock(at).replace("Z", ".000Z"), "value": value} for at, value in values.items()]
        return found

    def same(self, query, answer, names, rows, column, labels):
        """Holds one column of values against the answer of its query; the number of values."""
        by_time = len({one["time"] for one in answer}) > 1
        keys = [n for n in names if n in labels or n == "time" and by_time]
        places = [names.index(n) for n in keys]
        ours = [tuple(plain(row[i]) for i in places) + (plain(row[column]),) for row in rows if row[column] is not None]
        theirs = [tuple(plain(one.get(n)) for n in keys) + (plain(one["value"]),) for one in answer]
        theirs = [row for row in theirs if row[-1] is not None]  # NaN, which SQL has as NULL
        if not query.startswith("sort"):
            ours, theirs = sorted(ours, key=str), sorted(theirs, key=str)
        self.assertEqual(len(ours), len(theirs), (query, ours, theirs))
        for a, b in zip(ours, theirs):
            self.assertTrue(all(map(near, a, b)), (query, a, b))
        return len(ours)

    def compare(self, db, server, recipe, ts, labels):
        """(queries asked, values compared, queries that the server does not know)"""
        waiting, asked, compared, refused = queries(recipe.query), 0, 0, 0
        for names, rows in rows_of(db, at_time(recipe.sql, ts)):
            if "query" in names:
                parts = [([row for row in rows if row[names.index("query")] == query], names.index("value")) for query, _ in waiting]
            else:
                parts = [(rows, i) for i, n in enumerate(names) if n not in ("ts", "time") and n not in labels]
            for part, column in parts:
                self.assertTrue(waiting, "more columns of values than queries")
                query, bounds = waiting.pop(0)
                answer = self.asked(server, query, bounds, ts)
                if answer is None:
                    refused += 1
                    continue
                asked += 1
                compared += self.same(query, answer, names, part, column, labels)
        self.assertEqual(waiting, [], "more queries than columns of values")
        return asked, compared, refused

    def ask(self, name, data):
        """(queries asked, values compared, queries that the server does not know) with one text of the data."""
        db = cookbook.kitchen(self.path(name), data)
        self.addCleanup(db.close)
        series = list(self.series(db))
        labels = {label for one in series for label in one["labels"]} | {"name"} | MADE
        os.mkdir(self.path(name + ".server"))
        totals = (0, 0, 0)
        with prometheus.Server(self.path(name + ".server"), series) as server:
            for ts in TIMES:
                views_at(db, ts)
                for recipe in cookbook.recipes("promql"):
                    if recipe.name in OTHERWISE or ts != EVALUATED and FIXED.search(recipe.query):
                        continue
                    with self.subTest(recipe.name, time=clock(ts), data=name):
                        totals = tuple(a + b for a, b in zip(totals, self.compare(db, server, recipe, ts, labels)))
        return totals

    if support.ORACLE_SEEDS:
        def test_recipes_answer_as_prometheus(self):
            prometheus.require()
            seeds = [int.from_bytes(os.urandom(4), "big") for _ in range(max(1, support.ORACLE_SEEDS // 5))]
            totals = [self.ask("own", cookbook.read)] + [self.ask("seed %d" % seed, other_samples(seed)) for seed in seeds]
            print("cookbook: %d queries of Prometheus, %d values; %d queries it does not know" % tuple(map(sum, zip(*totals))))
            self.assertGreater(min(values for _, values, _ in totals), 5000)
