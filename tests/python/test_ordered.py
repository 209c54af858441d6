# The ordered aggregates where samples are few, unordered, doubled, NULL, infinite, of the wrong kind or of another unit.
import json
import math

from . import support


class Ordered(support.TimeseriesCase):
    FOLDS = ["delta", "increase", "rate", "idelta", "irate", "num_resets", "num_changes", "deriv", "integral", "time_weight"]

    def setUp(self):
        super().setUp()
        self.db = self.connect()

    def over(self, call, *rows):
        values = ",".join("(%s,%s)" % row for row in rows) or "(NULL,NULL)"
        return self.db.execute("WITH s(v, ts) AS (VALUES %s) SELECT %s FROM s" % (values, call)).fetchone()[0]

    def test_answers_do_not_depend_on_the_order_of_rows(self):
        rows = [(5, 1000), (9, 2000), (2, 3000), (4, 4500), (1, 6000)]
        for fold in self.FOLDS + ["first", "last"]:
            call = fold + "(v, ts)"
            self.assertEqual([self.over(call, *rows[::-1]), self.over(call, *rows[2:], *rows[:2])], [self.over(call, *rows)] * 2, fold)
        self.assertEqual([self.over(f + "(v, ts)", *rows[::-1])
                          for f in ("first", "last", "delta", "increase", "num_resets", "num_changes")],
                         [5, 1, -4, 4 + 2 + 2 + 1, 2, 4])
        self.assertEqual(self.over("integral(v, ts)", *rows[::-1]), 7 + 5.5 + 4.5 + 3.75)
        self.assertEqual(self.over("time_weight(v, ts)", *rows[::-1]), (5 + 9 + 3 + 6) / 5)

    def test_groups_without_an_answer_are_null(self):
        for fold in self.FOLDS + ["first", "last"]:
            self.assertIsNone(self.over(fold + "(v, ts)"), fold)
            self.assertIsNone(self.over(fold + "(v, ts)", (1, "NULL"), ("NULL", 1)), fold)
        for fold in self.FOLDS:
            self.assertEqual(self.over(fold + "(v, ts)", (1, 1000)), 0 if fold.startswith("num_") else None, fold)
        for fold in ("rate", "idelta", "irate", "deriv", "time_weight"):  # no time between two samples
            self.assertIsNone(self.over(fold + "(v, ts)", (1, 1000), (2, 1000)), fold)

    def test_infinities_and_huge_numbers_are_carried_or_null(self):
        self.assertEqual(self.over("delta(v, ts)", (1, 0), ("9e999", 1)), math.inf)
        self.assertIsNone(self.over("delta(v, ts)", ("9e999", 0), ("9e999", 1)))
        self.assertEqual(self.over("rate(v, ts)", (0, -(2 ** 63) + 1), (1, 2 ** 63 - 1)), 1 / (2 ** 64 / 1e3))
        self.assertEqual(self.over("first(v, ts)", ("'b'", 2 ** 53 + 1), ("'a'", 2 ** 53)), "a")
        self.assertEqual(self.over("avg_to_grid(v, ts, 1, 1, 1, 9)", ("1e308", 0), ("1e308", 1)), "[[1,1e+308]]")

    def test_sums_are_compensated(self):
        self.assertEqual(self.over("sum_to_grid(v, ts, 9, 9, 1, 99)", (1, 1), ("1e100", 2), (1, 3), ("-1e100", 4)), "[[9,2]]")

    def test_windows_of_rows_answer_as_the_aggregate_over_their_frame(self):
        rows = [(i * 7 % 5, i * 1000 if i % 4 else i * 1000 - 2500) for i in range(40)]
        self.db.execute("CREATE TABLE s(n, v, ts)")
        self.db.executemany("INSERT INTO s VALUES(?, ?, ?)", [(n, v, ts) for n, (v, ts) in enumerate(rows)])
        for fold in self.FOLDS:
            over = self.db.execute("SELECT %s(v, ts) OVER (ORDER BY n ROWS 5 PRECEDING) FROM s" % fold).fetchall()
            frames = [rows[max(0, n - 5):n + 1] for n in range(len(rows))]
            self.assertEqual([o for (o,) in over], [self.over(fold + "(v, ts)", *frame) for frame in frames], fold)

    def test_windows_of_values_at_a_key_answer_as_the_aggregate_over_their_frame(self):
        keys = [("up", lambda n: n), ("down", lambda n: -n), ("equal", lambda n: n // 7), ("mixed", lambda n: n * 7 % 5),
                ("real", lambda n: n * 13 % 8 / 4)]
        self.db.execute("CREATE TABLE s(n, v, k)")
        for name, key in keys:
            rows = [("'t%d'" % n if n % 3 else "x'0%d'" % (n % 10) if n % 2 else n, key(n) if n % 11 else "NULL") for n in range(60)]
            self.db.execute("DELETE FROM s")
            for n, (v, k) in enumerate(rows):
                self.db.execute("INSERT INTO s VALUES(%d, %s, %s)" % (n, v, k))
            for function in ("arg_min", "arg_max") if name == "real" else ("first", "last", "arg_min", "arg_max"):
                for before, after in ((5, 0), (3, 2), (0, 4), (-1, 6), (100, 0), (6, -2), (100, 100)):
                    bounds = ["%d %s" % (abs(rows_off), "PRECEDING" if rows_off < 0 else "FOLLOWING") for rows_off in (-before, after)]
                    sql = "SELECT %s(v, k) OVER (ORDER BY n ROWS BETWEEN %s AND %s) FROM s" % (function, *bounds)
                    over = self.db.execute(sql).fetchall()
                    self.assertEqual([o for (o,) in over],
                                     [self.over(function + "(v, ts)", *rows[max(0, n - before):max(0, n + after + 1)]) for n in range(60)],
                                     (function, name, before, after))

    def test_a_group_longer_than_a_frame_may_be_keeps_its_answer_alone(self):
        rows = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ?) "
        for length in (1023, 1024, 1025, 5000):
            self.assertEqual(self.db.execute(rows + "SELECT first(n, n), last(n, n), first(n, -n), last(n, -n), arg_max(-n, -n) FROM s",
                                             (length,)).fetchone(), (1, length, length, 1, -1))
        ahead = rows + "SELECT sum(f) FROM (SELECT first(n, n) OVER (ORDER BY n ROWS BETWEEN %s AND %s) AS f FROM s)"
        self.assertEqual(self.db.execute(ahead % ("CURRENT ROW", "UNBOUNDED FOLLOWING"), (1024,)).fetchone()[0], 1024 * 1025 // 2)
        self.assertEqual(self.db.execute(ahead % ("2000 PRECEDING", "CURRENT ROW"), (5000,)).fetchone()[0],
                         sum(max(1, n - 2000) for n in range(1, 5001)))
        self.assertEqual(self.db.execute(ahead % ("UNBOUNDED PRECEDING", "UNBOUNDED FOLLOWING"), (5000,)).fetchone()[0], 5000)
        self.assertFails(self.db, ahead % ("CURRENT ROW", "UNBOUNDED FOLLOWING"),
                         "first: a frame that moves reaches more than 1024 rows ahead; let it end nearer to its row", (5000,))

    def test_many_rows_answer_alike_whether_held_or_put_aside(self):
        """From 262,144 rows on, those that came in order are put aside; a late row, and a window's frame, want them back."""
        self.db.execute("CREATE TABLE s(v, ts)")
        self.db.execute("INSERT INTO s SELECT value * 7919 % 1000 / 8.0, value * 1000 + value % 7 FROM generate_series(1, 270000)")
        late = "(SELECT * FROM s WHERE ts <> 140000000 UNION ALL SELECT * FROM s WHERE ts = 140000000)"
        for fold in self.FOLDS + ["predict_linear", "double_exponential_smoothing"]:
            parameters = {"predict_linear": ", 300000000", "double_exponential_smoothing": ", 0.5, 0.25"}.get(fold, "")
            for bounds in ["", ", 100000000, 269000000"] if fold in ("delta", "increase", "rate") else [""]:
                call = "SELECT %s(v, ts%s%s) " % (fold, parameters, bounds)
                frame = "OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) "
                aside, *held = [self.db.execute(call + rest).fetchone()[0] for rest in (
                    "FROM s", "FROM (SELECT * FROM s ORDER BY ts DESC)", "FROM " + late, frame + "FROM s LIMIT 1")]
                self.assertIsNotNone(aside)
                self.assertEqual(held, [aside] * 3, (fold, bounds))

    def test_memory_is_bounded_when_rows_come_in_order(self):
        """Four times as many rows take no more than some MiB more, where all rows would take 48; sanitizers keep what was freed."""
        done = support.python("""
import re
def peak():
    with open("/proc/self/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+) kB", f.read())[1])
db = support.connect()
peaks = []
for n in (1000000, 4000000):
    for fold, answer in (("increase", n - 1), ("integral", (n * n - 1) / 2)):
        assert db.execute("SELECT %s(value, value * 1000) FROM generate_series(1, ?)" % fold, (n,)).fetchone()[0] == answer
    peaks.append(peak())
print(peaks[1] - peaks[0])
""", timeout=300)
        self.assertLess(int(done.stdout), 400 * 1024 if support.SANITIZE else 16 * 1024)

    def test_grids_answer_as_the_aggregate_over_each_window(self):
        rows = [(i * 7 % 5, i * 900) for i in range(40)]
        for fold in self.FOLDS:
            bounds = ", %d, %d" if fold in ("delta", "increase", "rate") else ""
            wanted = []
            for at in range(2000, 30001, 4000):
                inside = [row for row in rows if at - 7000 < row[1] <= at]
                answer = self.over(fold + "(v, ts" + (bounds % (at - 7000, at) if bounds else "") + ")", *inside)
                wanted += [] if answer is None else [[at, answer]]
            self.assertEqual(json.loads(self.over(fold + "_to_grid(v, ts, 2000, 30000, 4000, 7000)", *rows[::-1])), wanted, fold)

    def test_units_scale_rates_and_are_checked(self):
        for suffix, second in (("", 10 ** 3), ("_s", 1), ("_us", 10 ** 6), ("_ns", 10 ** 9)):
            self.assertEqual(self.over("rate%s(v, ts)" % suffix, (1, 0), (5, 2 * second)), 2, suffix)
        self.assertFails(self.db, "SELECT rate(1, ts_s('2026-11-23'))",
                         "rate: the time counts 's' and the function 'ms'; use the form of the time's unit")
        self.assertEqual(self.db.execute("SELECT last_s(7, ts_s('2026-11-23'))").fetchone()[0], 7)

    def test_what_is_no_sample_is_an_error(self):
        for call, message in (
                ("rate('x', 1)", 'rate: "x" is no number; CAST it to REAL'),
                ("rate(1, '2026')", 'rate: the time "2026" is no whole number; ts(\'...\') makes one from text'),
                ("first(1, 0.5)", "first: the time 0.5 is no whole number; ts('...') makes one from text"),
                ("rate(1, 1, 5, 5)", "rate: the window ends before it begins; write from, to"),
                ("double_exponential_smoothing(1, 1, 0, 0.5)", "double_exponential_smoothing: the factor 0 lies not between 0 and 1"),
                ("rate_to_grid(1, 1, 0, 9, 0, 5)", "rate_to_grid: the step 0 is not positive"),
                ("rate_to_grid(1, 1, 0, 9, 1, -5)", "rate_to_grid: the range -5 is not positive"),
                ("rate_to_grid(1, 1, 0, 1000000, 1, 5)", "rate_to_grid: more than 1000000 points; take a larger step")):
            self.assertFails(self.db, "SELECT " + call, message)

    def test_arg_min_and_arg_max_take_the_first_of_equals_and_last_the_last(self):
        rows = [("'a'", 1), ("'b'", 3), ("'c'", 1), ("'d'", 3)]
        self.assertEqual([self.over(f + "(v, ts)", *rows) for f in ("arg_min", "arg_max", "first", "last")], ["a", "b", "a", "d"])

    def test_first_and_last_return_the_value_with_its_type(self):
        rows = [("'a'", 1), ("2", 2), ("x'00'", 3), ("2.5", 4), ("'z'", 5), (str(2 ** 63 - 1), 6)]
        for n in range(1, len(rows) + 1):
            (wanted,) = self.db.execute("SELECT " + rows[n - 1][0]).fetchone()
            got = self.over("last(v, ts)", *rows[:n])
            self.assertEqual((type(got), got), (type(wanted), wanted))

    def test_a_function_that_the_host_has_is_left_alone(self):
        db = support.sqlite3.connect(":memory:")
        self.addCleanup(db.close)
        db.create_function("rate", 2, lambda a, b: "the host's")
        support.load(db)
        self.assertEqual(db.execute("SELECT rate(1, 2)").fetchone()[0], "the host's")
        self.assertFails(db, "SELECT rate(1, 2, 3, 4)", "wrong number of arguments to function rate()")
