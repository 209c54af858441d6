# generate_series, gapfill and interpolate: grids against time_bucket and Python's zoneinfo, and lines between neighbours.
import datetime
import random
import zoneinfo

from . import support
from .test_buckets import ZONES

UTC = datetime.timezone.utc
FRAME = "(ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"


class Gaps(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect()

    def column(self, sql, *arguments):
        return [row[0] for row in self.db.execute(sql, arguments)]

    def test_generate_series_is_the_shells(self):
        queries = ["SELECT value FROM generate_series(%s)%s" % q for q in (
            ("1,9", ""), ("1,9,3", ""), ("5,5", ""), ("1,3,0", ""), ("1,9,3", " ORDER BY value DESC"), ("1", " LIMIT 3"),
            ("1,9", " WHERE value > 7"), ("NULL,9", ""), ("1,NULL", ""), ("'2',3.9", ""))]
        queries += ["SELECT value, start, stop, step FROM generate_series WHERE start = 2 AND stop = 4 AND value <> 3",
                    "SELECT a.value, b.value FROM generate_series(1, 3) a, generate_series(a.value, 3) b"]
        out, _, _ = support.shell(";\n.print --\n".join(queries) + ";\n", load_extension=False)
        for query, wanted in zip(queries, out.split("--\n"), strict=True):
            got = self.db.execute(query).fetchall()
            self.assertEqual("".join("|".join(map(str, row)) + "\n" for row in got), wanted, query)
        for arguments, order, wanted in (("9,1,-3", "", [9, 6, 3]), ("9,1,-3", " ORDER BY value", [3, 6, 9]), ("1,9,-1", "", []),
                                         ("9,1,-3", " ORDER BY value DESC", [9, 6, 3])):  # as SQLite's newer versions count down
            self.assertEqual(self.column("SELECT value FROM generate_series(%s)%s" % (arguments, order)), wanted)
        huge = "SELECT value FROM generate_series(?, ?, ?) ORDER BY value"  # where the shell's older versions never end
        self.assertEqual(self.column(huge, -2 ** 63, 2 ** 63 - 1, 2 ** 62), [-2 ** 63, -2 ** 62, 0, 2 ** 62])
        self.assertEqual(self.column(huge, 2 ** 63 - 1, -2 ** 63, -2 ** 63), [-1, 2 ** 63 - 1])
        self.assertEqual(self.column(huge, 2 ** 63 - 2, 2 ** 63 - 1, 1), [2 ** 63 - 2, 2 ** 63 - 1])
        self.assertFails(self.db, "SELECT * FROM generate_series", "generate_series: the start is missing")

    def test_the_grid_is_all_buckets_that_hold_a_time_of_the_range(self):
        rng = random.Random(13)
        for name in ZONES + [None]:
            for width, span in (("15m", 4), ("1h", 40), ("7 minutes", 2), ("2h", 60), ("1 day", 900), ("1 week", 2000), ("1 month", 9000),
                                ("36h", 900)):
                # Around changes of the clock: the last Sundays of March and October 2026, and Apia's day that never was.
                for around in (1774746000, 1792890000, 1325239200, rng.randrange(-10 ** 9, 4 * 10 ** 9)):
                    begin = around - rng.randrange(span * 1800) - span * 1800
                    end = begin + span * 3600 + rng.randrange(1000)
                    grid = self.column("SELECT ts FROM gapfill_s(?, ?, ?, ?)" if name else "SELECT ts FROM gapfill_s(?1, ?2, ?3)",
                                       width, begin, end, *([name] if name else []))
                    call = "time_bucket_s(?1, value, ?4)" if name else "time_bucket_s(?1, value)"
                    step = max(60, (end - begin) // 3000)
                    wanted = self.column("SELECT DISTINCT %s FROM (SELECT value FROM generate_series(?2, ?3 - 1, ?5) UNION SELECT ?3 - 1) "
                                         "WHERE ?4 IS NULL OR 1 ORDER BY 1" % call, width, begin, end, name, step)
                    self.assertEqual(set(wanted) - set(grid), set(), (name, width, begin, end))
                    self.assertEqual(grid, sorted(set(grid)))
                    if step == 60:
                        self.assertEqual(grid, wanted, (name, width, begin, end))

    def test_local_days_follow_the_clock(self):
        zone = zoneinfo.ZoneInfo("Europe/Berlin")
        days = self.column("SELECT ts FROM gapfill_s('1 day', ts_s('2026-03-27'), ts_s('2026-11-01'), 'Europe/Berlin')")
        first = datetime.datetime(2026, 3, 27, tzinfo=zone)
        wanted = [round((first + datetime.timedelta(i)).timestamp()) for i in range(len(days))]
        self.assertEqual((days, len(days)), (wanted, 220))

    def test_bounds_come_from_the_query_too(self):
        for where, wanted in (("ts >= 100 AND ts < 400", [100, 200, 300]), ("ts > 100 AND ts <= 400", [200, 300, 400]),
                              ("ts BETWEEN 50 AND 210", [100, 200]), ("ts = 300", [300]), ("ts = 310", []),
                              ("ts IN (100, 300)", [100, 300]),
                              ("ts >= 100 AND ts >= 200 AND ts < 900 AND ts <= 300", [200, 300]), ("ts < 100 AND ts > 200", []),
                              ("ts >= NULL AND ts < 5", []), ("ts > -250 AND ts < 50", [-200, -100, 0])):
            self.assertEqual(self.column("SELECT ts FROM gapfill(100) WHERE " + where), wanted, where)
        self.assertEqual(self.column("SELECT ts FROM gapfill(100, 150) WHERE ts < 400"), [100, 200, 300])
        self.assertEqual(self.column("SELECT ts FROM gapfill(100, 150, 900) WHERE ts < 400 ORDER BY ts DESC"), [300, 200, 100])
        self.assertEqual(self.column("SELECT ts FROM gapfill(100, 400, 150)"), [])
        self.assertEqual(self.column("SELECT ts FROM gapfill(100, 400, 400)"), [])
        self.assertEqual(self.column("SELECT ts FROM gapfill('1h', NULL, 400)"), [])
        hidden = self.db.execute("SELECT width, \"from\", \"to\", timezone FROM gapfill(100, 0, 100)")
        self.assertEqual(hidden.fetchall(), [(100, 0, 100, None)])
        bounds = "(SELECT 0 AS a, 250 AS b UNION ALL SELECT 1000, 1150)"
        for sql in ("SELECT g.ts FROM %s r, gapfill(100, r.a, r.b) g ORDER BY 1",
                    "SELECT g.ts FROM gapfill(100, r.a, r.b) g, %s r ORDER BY 1",
                    "SELECT g.ts FROM %s r JOIN gapfill(100) g ON g.ts >= r.a AND g.ts < r.b ORDER BY 1"):
            self.assertEqual(self.column(sql % bounds), [0, 100, 200, 1000, 1100], sql)

    def test_bucket_starts_carry_their_unit(self):
        self.assertEqual(self.column("SELECT ts_text(ts) FROM gapfill_s('1 day', ts_s('2026-11-23'), ts_s('2026-11-24'))"),
                         ["2026-11-23T00:00:00Z"])
        wrong = "gapfill: the time counts 's' and the function 'ms'; use the form of the time's unit"
        self.assertFails(self.db, "SELECT * FROM gapfill('1h', ts_s('2026-11-23'), ts_s('2026-11-24'))", wrong)
        self.assertFails(self.db, "SELECT * FROM gapfill('1h') WHERE ts >= ts_s('2026-11-23') AND ts < 5", wrong)

    def test_what_is_no_grid_is_an_error(self):
        bounds = "gapfill: the grid has no bounds; write gapfill(width, from, to), or WHERE ts >= ... AND ts < ..."
        for sql, message in (
                ("SELECT * FROM gapfill('1h')", bounds), ("SELECT * FROM gapfill('1h', 5)", bounds),
                ("SELECT * FROM gapfill('1h') WHERE ts > 5", bounds),
                ("SELECT * FROM gapfill", "gapfill: the width is missing; write gapfill('5m', from, to)"),
                ("SELECT * FROM gapfill(0, 0, 9)", "gapfill: the width '0' is not positive; write one as in '1 hour'"),
                ("SELECT * FROM gapfill(1, 0, 1000001)", "gapfill: more than 1000000 buckets; take a wider width"),
                ("SELECT * FROM gapfill('1h', 0, 9, 'Nowhere')",
                 "gapfill: the time zone 'Nowhere' is not known; write one as in 'Europe/Berlin'"),
                ("SELECT * FROM gapfill('1h', '2026-11-23', 9)",
                 "gapfill: the time \"2026-11-23\" is no whole number; ts('...') makes one from text"),
                ("SELECT * FROM gapfill_ns('1 year', -9223372036854775807, 9223372036854775807)",
                 "gapfill_ns: the bounds lie outside the years 1678 to 2261")):
            self.assertFails(self.db, sql, message)

    def lines(self, rows, call="interpolate(v, ts)", window=FRAME):
        values = ",".join("(%s,%s)" % row for row in rows)
        return self.column("WITH s(v, ts) AS (VALUES %s) SELECT %s OVER %s FROM s" % (values, call, window))

    def test_gaps_lie_on_the_line_between_their_neighbours(self):
        rows = [("NULL", 0), (10, 10), ("NULL", 12), ("NULL", 15), (20, 20), ("NULL", 20), ("NULL", 25), (20, 30), ("NULL", 40)]
        wanted = [None, 10, 12, 15, 20, 20, 20, 20, None]
        self.assertEqual(self.lines(rows), wanted)
        self.assertEqual(self.lines(rows[::-1]), wanted[::-1])  # in any order
        self.assertEqual(self.lines(rows, window="(ORDER BY ts ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"), wanted)
        for suffix in ("_s", "_us", "_ns"):
            self.assertEqual(self.lines(rows, "interpolate%s(v, ts)" % suffix), wanted)

    def test_lines_of_partitions_do_not_meet(self):
        sql = ("WITH s(h, v, ts) AS (VALUES ('a', 1, 0), ('b', 100, 0), ('a', NULL, 1), ('b', NULL, 1), ('a', 3, 2), ('b', 300, 2)) "
               "SELECT interpolate(v, ts) OVER (PARTITION BY h ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM s ORDER BY h, ts")
        self.assertEqual(self.column(sql), [1, 2, 3, 100, 200, 300])

    def test_few_and_strange_neighbours(self):
        self.assertEqual(self.lines([("NULL", 1)]), [None])
        self.assertEqual(self.lines([(5, "NULL"), ("NULL", "NULL")]), [5, None])
        self.assertEqual(self.lines([("1e308", 0), ("NULL", 1), ("-1e308", 2)]), [1e308, 0, -1e308])
        self.assertEqual(self.lines([(0, -(2 ** 63) + 1), ("NULL", 0), (2, 2 ** 63 - 1)]), [0, 1, 2])
        self.assertEqual(self.lines([(1, 0), ("NULL", 1), ("9e999", 2)]), [1, float("inf"), float("inf")])
        self.assertEqual(self.lines([("9e999", 0), ("NULL", 1), ("-9e999", 2)]), [float("inf"), None, float("-inf")])
        self.assertEqual(self.lines([(0.1, 0), ("NULL", 1), (0.1, 3)]), [0.1] * 3)

    def test_many_rows_lie_on_one_line(self):
        got = self.column("SELECT interpolate(CASE WHEN value % 997 = 0 THEN value END, value) OVER " + FRAME +
                          " FROM generate_series(0, 99700)")
        self.assertEqual([round(v, 6) for v in got], list(range(99701)))

    def test_another_frame_is_an_error(self):
        message = ("interpolate: the frame does not tell which row is the current one; write interpolate(value, ts) "
                   "OVER (... ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)")
        self.db.execute("CREATE TABLE s(v, ts)")
        self.db.executemany("INSERT INTO s VALUES(?, ?)", [(1, 1), (None, 2), (3, 3), (4, 3)])
        for window in ("", " OVER (ORDER BY ts)", " OVER (ORDER BY ts ROWS 1 PRECEDING)", " OVER (ORDER BY ts DESC GROUPS "
                       "BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)", " OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
                       " OVER (ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)",
                       " OVER (ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)"):
            self.assertFails(self.db, "SELECT interpolate(v, ts)%s FROM s" % window, message)
        self.assertFails(self.db, "SELECT interpolate('x', 1) OVER %s" % FRAME, 'interpolate: "x" is no number; CAST it to REAL')
        self.assertFails(self.db, "SELECT interpolate(1, ts_s('2026-11-23')) OVER %s" % FRAME,
                         "interpolate: the time counts 's' and the function 'ms'; use the form of the time's unit")

    def test_a_module_that_the_host_has_is_left_alone(self):
        out, _, _ = support.shell("SELECT group_concat(value) FROM generate_series(1, 3);\nSELECT count(*) FROM gapfill(1, 0, 5);\n")
        self.assertEqual(out, "1,2,3\n5\n")
