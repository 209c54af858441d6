# The module as a file: what it exports, what it needs, and that it loads.
import re
import subprocess
import unittest

from . import support


class Module(support.TimeseriesCase):
    def test_exports_its_entry_point_only(self):
        for so in (support.PRODUCT, support.WITH_FAILPOINTS):
            lines = subprocess.run(["nm", "-D", "--defined-only", so], text=True, capture_output=True, check=True).stdout.split("\n")
            self.assertEqual([line.split()[-1] for line in lines if line], ["sqlite3_timeseries_init"])

    def test_calls_no_sqlite_but_its_hosts(self):
        listing = subprocess.run(["nm", "-D", "--undefined-only", support.PRODUCT], text=True, capture_output=True, check=True).stdout
        self.assertEqual(re.findall(r"\bsqlite3_\w+", listing), [])
        needed = subprocess.run(["readelf", "-d", support.PRODUCT], text=True, capture_output=True, check=True).stdout
        self.assertNotIn("libsqlite3", needed)

    def test_failpoints_are_only_in_the_test_build(self):
        marker = b"TIMESERIES_FAILPOINT"
        with open(support.PRODUCT, "rb") as product, open(support.WITH_FAILPOINTS, "rb") as twin:
            self.assertNotIn(marker, product.read())
            self.assertIn(marker, twin.read())

    def test_loads_and_tells_its_version(self):
        db = self.connect()
        (version,) = db.execute("SELECT timeseries_version()").fetchone()
        self.assertRegex(version, r"\d+\.\d+\.\d+")

    def test_loads_in_the_stock_shell(self):
        out, _, _ = support.shell("SELECT timeseries_version();")
        self.assertRegex(out, r"\d+\.\d+\.\d+")

    def test_loads_twice(self):
        db = self.connect()
        support.load(db)
        self.assertEqual(db.execute("SELECT 1").fetchone(), (1,))


if __name__ == "__main__":
    unittest.main()
