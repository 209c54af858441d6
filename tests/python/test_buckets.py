# time_bucket, duration and auto_bucket: local clocks against Python's zoneinfo, which reads the tz database by itself.
import datetime
import os
import random
import zoneinfo

from . import support

UTC = datetime.timezone.utc
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "Australia/Lord_Howe", "Asia/Kolkata",
         "Pacific/Apia", "Africa/Casablanca", "America/Nuuk", "Asia/Tehran", "Europe/Dublin"]


def first_instant(local, zone):
    """The first time at which a clock of the zone shows `local`, or when it jumps over it."""
    return round(local.replace(tzinfo=zone, fold=0).timestamp())


class Buckets(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect()

    def value(self, call, *arguments):
        return self.db.execute("SELECT " + call, arguments).fetchone()[0]

    def test_local_days_and_months_begin_when_the_clock_says_so(self):
        rng = random.Random(7)
        for name in ZONES:
            zone = zoneinfo.ZoneInfo(name)
            times = [rng.randrange(-2 * 10 ** 9, 4 * 10 ** 9) for _ in range(300)]  # 1906 to 2096: beyond the files' transitions too
            times += [1774746000 + hour * 1800 for hour in range(-60, 60)] + [1792890000 + hour * 1800 for hour in range(-60, 60)]
            for second in times:
                local = datetime.datetime.fromtimestamp(second, UTC).astimezone(zone).replace(tzinfo=None)
                midnight = datetime.datetime(local.year, local.month, local.day)
                for width, start in (("1 day", midnight), ("1 week", midnight - datetime.timedelta(midnight.weekday())),
                                     ("1 month", midnight.replace(day=1)), ("1 year", midnight.replace(month=1, day=1))):
                    self.assertEqual(self.value("time_bucket_s(?, ?, ?)", width, second, name), first_instant(start, zone),
                                     (name, width, second))

    def test_an_hour_that_comes_twice_is_two_buckets(self):
        # Berlin, 2026-10-25: 03:00 CEST is 02:00 CET.
        for second in range(1792882800, 1792900800, 900):
            self.assertEqual(self.value("time_bucket_s('1h', ?, 'Europe/Berlin')", second), second // 3600 * 3600)
        self.assertEqual(self.value("time_bucket_s('1h', ts_s('2026-11-23T07:16:00Z'), 'Asia/Kolkata') - ts_s('2026-11-23T06:30:00Z')"), 0)

    def test_buckets_have_widths_and_origins(self):
        for width, at, start in (("5m", "2026-11-23T07:16:00", "2026-11-23T07:15:00"), ("1 week", "2026-11-23T07:16:00", "2026-11-23"),
                                 ("1 month", "2026-11-23", "2026-11-01"), (60000, "2026-11-23T07:16:59.999", "2026-11-23T07:16:00")):
            for form in ("", "_us", "_ns"):
                if isinstance(width, int) and form:
                    continue
                call = "time_bucket{0}(?1, ts{0}(?2)) - ts{0}(?3)".format(form)
                self.assertEqual(self.value(call, width, at, start), 0, (width, form))
        self.assertEqual(self.value("time_bucket('1 day', ts('2026-11-23T05:00:00'), ts('2026-01-01T06:00:00'))"
                                    " - ts('2026-11-22T06:00:00')"), 0)
        self.assertEqual(self.value("time_bucket(10, -1)"), -10)
        self.assertEqual(self.value("time_bucket_s('1 day', ts_s('2026-07-01T03:00:00Z'), 'Europe/Berlin', ts_s('2026-01-01T05:00:00Z'))"
                                    " - ts_s('2026-06-30T04:00:00Z')"), 0)  # six on the local clock

    def test_a_constant_width_answers_every_row_as_one_from_a_column_does(self):
        self.db.execute("CREATE TABLE s(ts, width)")
        times = [5, -5, 0, None, 7.0, 1795418160000, -(2 ** 63), 2 ** 63 - 1, -(2 ** 63) + 3, 946857600000, 946857599999]
        for width in (10, 7, "1 day", "1 month", 2 ** 46):
            self.db.execute("DELETE FROM s")
            self.db.executemany("INSERT INTO s VALUES(?, ?)", [(ts, width) for ts in times])
            one, other = [self.db.execute("SELECT %s FROM s ORDER BY rowid" % call, more).fetchall()
                          for call, more in (("time_bucket(?, ts)", (width,)), ("time_bucket(width, ts)", ()))]
            self.assertEqual(one, other, width)
        rows = "SELECT time_bucket(10, CASE value WHEN 1 THEN 1 ELSE %s END) FROM generate_series(1, 2)"
        for later, message in (("ts_s('2026-11-23')",
                                "time_bucket: the time counts 's' and the function 'ms'; use the form of the time's unit"),
                               ("'x'", "time_bucket: the time \"x\" is no whole number; ts('...') makes one from text"),
                               ("1.5", "time_bucket: the time 1.5 is no whole number; ts('...') makes one from text")):
            self.assertFails(self.db, rows % later, message)
        self.assertEqual(self.db.execute("SELECT ts_text(time_bucket('1 day', ts)) FROM (SELECT ts('2026-11-23T07:16:00Z') AS ts "
                                         "UNION ALL SELECT ts('2026-11-24T01:00:00Z'))").fetchall(),
                         [("2026-11-23T00:00:00.000Z",), ("2026-11-24T00:00:00.000Z",)])

    def test_null_in_any_argument_is_null(self):
        for call in ("time_bucket(NULL, 1)", "time_bucket('1h', NULL)", "time_bucket('1h', 1, NULL)", "duration(NULL)",
                     "auto_bucket(NULL, 1, 1)", "auto_bucket(0, 1, NULL)"):
            self.assertIsNone(self.value(call), call)

    def test_durations_are_counts_of_units(self):
        self.assertEqual(self.value("json_array(duration('1h'), duration_s('5m'), duration_us('2 days'), duration_ns('3us'))"),
                         "[3600000,300,172800000000,3000]")

    def test_auto_bucket_is_a_width_of_a_clock_that_makes_no_more_bins(self):
        for span, bins, width in ((3600, 60, 60), (3601, 60, 120), (86400, 100, 900), (7 * 86400, 7, 86400), (0, 5, 1),
                                  (10 ** 9, 10, 39 * 2592000)):
            got = self.value("auto_bucket_s(?, ?, ?)", 1000, 1000 + span, bins)
            self.assertGreaterEqual(got * bins, span)
            self.assertEqual(got, width)

    def test_what_is_no_bucket_is_an_error(self):
        zone = "time_bucket: the time zone '%s' is not known; write one as in 'Europe/Berlin'"
        for call, message in (
                ("time_bucket('1h', ts_s('now'))",
                 "time_bucket: the time counts 's' and the function 'ms'; use the form of the time's unit"),
                ("time_bucket('1h', 1, '../zoneinfo/UTC')", zone % "../zoneinfo/UTC"),
                ("time_bucket('1h', 1, '/etc/localtime')", zone % "/etc/localtime"),
                ("time_bucket('1h', 1, 'Europe')", zone % "Europe"),
                ("time_bucket('1h', 1, '')", zone % ""),
                ("time_bucket('1h', 1, 5, 5)", "time_bucket: the time zone 5 is no text"),
                ("time_bucket('1 month', 1, 5)", "time_bucket: months and years take no origin; write a width in days or less"),
                ("time_bucket_s('1 day', 9e17, 'UTC')", "time_bucket_s: the time 9.0e+17 lies outside the years 0001 to 9999"),
                ("time_bucket_ns('100000 days', ts_ns('1678-01-01'), ts_ns('2261-12-01'))",
                 "time_bucket_ns: the bucket begins before all times; write a narrower width"),
                ("duration('1 month')", "duration: months and years are of no fixed length; write days"),
                ("auto_bucket(5, 1, 3)", "auto_bucket: the range ends before it begins; write from, to, bins"),
                ("auto_bucket(1, 5, 0)", "auto_bucket: 0 is no number of bins; write 1 or more")):
            self.assertFails(self.db, "SELECT " + call, message)

    def test_a_zone_file_that_is_cut_or_changed_is_refused_or_read_never_worse(self):
        with open("/usr/share/zoneinfo/Europe/Berlin", "rb") as f:
            whole = f.read()
        self.setenv("TZDIR", self.dir)
        rng = random.Random(3)
        for i in range(400):
            torn = bytearray(whole[:rng.randrange(1, len(whole))] if i % 2 else whole)
            if i % 2 == 0:
                torn[rng.randrange(len(torn))] ^= 1 << rng.randrange(8)
            with open(self.path("z%d" % i), "wb") as f:
                f.write(torn)
            try:
                self.assertIsInstance(self.value("time_bucket('1 day', 1795418160000, 'z%d')" % i), int)
                self.assertEqual(i % 2, 0)
            except support.sqlite3.Error as e:
                self.assertEqual(str(e), "time_bucket: the time zone 'z%d' is no file of the tz database" % i)
