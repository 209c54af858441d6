# A private Prometheus over given series, and random questions to ask it in the form of tests/data/promql.
#
# Server makes blocks of the samples with promtool and serves them on a loopback port that the kernel chose. sets(seed) are random series
# and cases over them; answered() asks a server all of them. Prometheus 2 takes a range's left end in, Prometheus 3 and this extension do
# not: so no sample lies on a whole second, and all bounds of ranges do.
import http.client
import json
import math
import random
import shutil
import subprocess
import threading
import urllib.parse

BEGIN = 1795424400000  # 2026-11-23T09:00:00Z
SPAN = 3600000
POINTS = 8  # times of each question
LOOKBACK = 300000  # of an instant selector
PROGRAMS = ("prometheus", "promtool")


def require():
    """Fails with a sentence unless Prometheus is here: a law that was not looked at does not count as held."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        raise AssertionError("no %s here: install the packages of the group check in .ci/packages.txt" % " and no ".join(missing))


def selector(labels):
    matchers = ",".join("%s=%s" % (k, json.dumps(str(v))) for k, v in sorted(labels.items()) if k != "__name__")
    return "%s{%s}" % (labels["__name__"], matchers)


def value_text(value):
    """A number, or one of the texts of as_json, as Prometheus writes it."""
    if isinstance(value, str):
        return value
    return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value) or ("NaN" if math.isnan(value) else repr(float(value)))


def values_of(pairs):
    return {round(ts * 1000): value for ts, value in pairs}


def as_json(number):
    """JSON has no infinities and no NaN: they are text, as in tests/data/promql."""
    return float(number) if math.isfinite(number) else value_text(number)


class Server:
    """series: [{"labels": {"__name__": ...}, "samples": [[ts_ms, value], ...]}, ...]"""

    def __init__(self, directory, series):
        with open(directory + "/series.txt", "w", encoding="utf-8") as f:
            for one in sorted(series, key=lambda s: s["labels"]["__name__"]):  # a family's lines follow each other
                for ts, value in one["samples"]:
                    f.write("%s %s %d.%03d\n" % (selector(one["labels"]), value_text(value), *divmod(ts, 1000)))
            f.write("# EOF\n")
        with open(directory + "/prometheus.yml", "w", encoding="utf-8") as f:
            f.write("global: {}\n")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", directory + "/series.txt", directory + "/data"],
                       check=True, stdout=subprocess.DEVNULL)
        self.command = ["prometheus", "--config.file=" + directory + "/prometheus.yml", "--storage.tsdb.path=" + directory + "/data",
                        "--storage.tsdb.retention.time=100y", "--web.listen-address=127.0.0.1:0"]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)
        log, port = [], None
        for line in self.process.stderr:
            log.append(line)
            if 'msg="Listening on"' in line:
                port = int(line.rsplit(":", 1)[1])
            if "Server is ready" in line:
                break
        else:
            self.process.wait()
            raise AssertionError("prometheus ended: " + "".join(log[-5:]))
        # Its later words are read, or it would wait for a reader one day.
        self.rest = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.rest.start()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        self.rest.join()
        self.process.stderr.close()

    def get(self, path, **parameters):
        self.connection.request("GET", "/api/v1/%s?%s" % (path, urllib.parse.urlencode(parameters)))
        answer = json.load(self.connection.getresponse())
        if answer["status"] != "success":
            raise AssertionError("%s: %s" % (parameters, answer["error"]))
        return answer["data"]

    def instant(self, query, ts):
        """[(labels, {ts: value})] at a time: of a range all samples, of a vector's element the time asked for; a scalar has no labels."""
        data = self.get("query", query=query, time=ts / 1000)
        if data["resultType"] in ("scalar", "string"):
            return [({}, values_of([data["result"]]))]
        return [(one["metric"], values_of(one["values"] if "values" in one else [one["value"]])) for one in data["result"]]

    def range(self, query, start, stop, step):
        """[(labels, {ts: value})] at each step."""
        data = self.get("query_range", query=query, start=start / 1000, end=stop / 1000, step=step / 1000)
        return [(one["metric"], values_of(one["values"])) for one in data["result"]]


def times(rng, mean, chance):
    """Scrape times: about each `mean` milliseconds, sometimes missing, sometimes with a long gap, never on a whole second."""
    now, found, regular = BEGIN + rng.randrange(mean), [], rng.random() < 0.5
    while now < BEGIN + SPAN:
        if rng.random() < chance:
            found.append(now + (0 if now % 1000 else 1))
        now += mean if regular else rng.randrange(mean // 2, mean * 3 // 2)
        if rng.random() < 0.01:
            now += rng.randrange(20) * mean
    return found


def counter(rng, length):
    value, most = rng.choice((0, 10 * rng.random(), 1e6, 1e9)), rng.choice((3, 50, 1e5))
    for _ in range(length):
        yield value
        value = rng.random() * most if rng.random() < 0.03 else value + rng.choice((0, 1, round(rng.random() * most), rng.random() * most))


def gauge(rng, length):
    value, width = rng.choice((0, 50, -1e3, 1e9)), rng.choice((1, 10, 1e4))
    for _ in range(length):
        yield value
        value = rng.choice((value, value + rng.randrange(-3, 4), value + rng.gauss(0, width)))


def steps(rng, length):
    return (rng.choice((-1, 0, 0, 1, 2.5) if rng.random() < 0.97 else (math.inf, -math.inf)) for _ in range(length))


def made(rng, kind, labels, mean, chance):
    at = times(rng, mean, chance)
    return {"labels": labels, "samples": [[ts, as_json(value)] for ts, value in zip(at, kind(rng, len(at)))]}


def gauges(seed):
    """Six series of one metric m: counters, gauges and values that repeat or are infinite, dense, sparse and with gaps."""
    rng = random.Random("series %d" % seed)
    kinds = (("counter", counter, 30000, 0.95), ("busy", counter, 60000, 0.7), ("gauge", gauge, 30000, 0.95),
             ("sparse", gauge, 200000, 0.6), ("steps", steps, 45000, 0.9), ("slow", gauge, 60000, 0.9))
    return [made(rng, kind, {"__name__": "m", "seed": str(seed), "kind": name}, mean, chance) for name, kind, mean, chance in kinds]


def histograms(seed):
    """Two classic histograms, of one metric h: cumulative counts up to each le, which begin anew together."""
    rng, found = random.Random("histograms %d" % seed), []
    for name, bounds in (("wide", [0.1, 0.5, 1, 2.5, 10, math.inf]), ("signed", [-2, -1, 0, 3, math.inf])):
        at, counts, samples = times(rng, 30000, 0.9), [0] * len(bounds), [[] for _ in bounds]
        for ts in at:
            counts = [0] * len(bounds) if rng.random() < 0.02 else [count + rng.choice((0, 0, rng.randrange(30))) for count in counts]
            for place, one in enumerate(samples):
                one.append([ts, float(sum(counts[:place + 1]))])
        found += [{"labels": {"__name__": "h", "seed": str(seed), "kind": name, "le": value_text(le)}, "samples": one}
                  for le, one in zip(bounds, samples)]
    return found


def smoothing(rng):
    return [round(rng.uniform(0.01, 0.99), 3), round(rng.uniform(0.01, 0.99), 3)]


def share(rng):
    return [rng.choice((0, 0.5, 1, -0.5, 1.5, round(rng.random(), 3), round(rng.random(), 3), round(rng.random(), 3)))]


# PromQL function: what the query is, over a range R, with arguments a and b of the case.
QUERIES = {name: name + "(%(range)s)" for name in (
    "rate", "increase", "delta", "irate", "idelta", "deriv", "resets", "changes", "sum_over_time", "avg_over_time", "min_over_time",
    "max_over_time", "count_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time", "last_over_time")}
QUERIES["predict_linear"] = "predict_linear(%(range)s, %(a)s)"
QUERIES["double_exponential_smoothing"] = "holt_winters(%(range)s, %(a)s, %(b)s)"  # its name until 2.x
QUERIES["quantile_over_time"] = "quantile_over_time(%(a)s, %(range)s)"
ARGUMENTS = {"predict_linear": lambda rng: [rng.randrange(-3600, 7200)], "double_exponential_smoothing": smoothing,
             "quantile_over_time": share, "histogram_quantile": share}


def offset_text(offset):
    return " offset %s%ds" % ("-" if offset < 0 else "", abs(offset) // 1000) if offset else ""


def question(rng, fn, query, selector):
    length, offset = rng.randrange(60, 1200) * 1000, rng.choice((0, 0, rng.randrange(-600, 600) * 1000))
    step = rng.randrange(30, 400) * 1000
    start = BEGIN + rng.randrange(SPAN // 1000) * 1000 - POINTS * step // 2000 * 1000
    arguments, instant = ARGUMENTS.get(fn, lambda _: [])(rng), selector + offset_text(offset)
    if "%(range)s" not in query:
        length = LOOKBACK
    words = {"instant": instant, "range": "%s[%ds]%s" % (selector, length // 1000, offset_text(offset)), **dict(zip("ab", arguments))}
    return {"file": selector, "line": 0, "fn": fn, "args": arguments, "query": query % words, "range_ms": length, "offset_ms": offset,
            "at_ms": None, "start_ms": start, "end_ms": start + (POINTS - 1) * step, "step_ms": step, "inner": None}


def sets(seed):
    """[{"series", "cases"}], a case of each function; an instant selector is last_over_time of the lookback."""
    rng = random.Random("questions %d" % seed)
    cases = [question(rng, fn, query, 'm{seed="%d"}' % seed) for fn, query in [*QUERIES.items(), ("last_over_time", "%(instant)s")]]
    quantiles = []
    for inner, query in ((None, "histogram_quantile(%(a)s, %(instant)s)"), ("rate", "histogram_quantile(%(a)s, rate(%(range)s))")) * 3:
        quantiles.append({**question(rng, "histogram_quantile", query, 'h{seed="%d"}' % seed), "inner": inner})
    return [{"series": gauges(seed), "cases": cases}, {"series": histograms(seed), "cases": quantiles}]


def ask(server, case):
    """The case with what the server answers: {"labels", "values"} for each series, null where there is none."""
    at = range(case["start_ms"], case["end_ms"] + 1, case["step_ms"])
    expect = []
    for labels, values in server.range(case["query"], case["start_ms"], case["end_ms"], case["step_ms"]):
        numbers = [float(values[ts]) if ts in values else None for ts in at]
        expect.append({"labels": labels, "values": [None if number is None else as_json(number) for number in numbers]})
    return {**case, "expect": expect}


def answered(directory, seeds):
    """(the server's version, the seeds' sets with the answers of a server of its own)"""
    asked = [one for seed in seeds for one in sets(seed)]
    with Server(directory, [series for one in asked for series in one["series"]]) as server:
        found = [{"series": one["series"], "cases": [ask(server, case) for case in one["cases"]]} for one in asked]
        return server.get("status/buildinfo")["version"], found
