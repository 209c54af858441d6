# Hedging as a user meets it: a LIST that hangs is asked again, and is not with hedge='off'.
import threading

from .stalling_server import ServedArchive


class Hedge(ServedArchive):
    def requests_of_hanging_list(self, options, hangs):
        """Of a query whose first LIST is answered when a second one comes, or else after `hangs` seconds; and whether one came."""
        server = self.serve(lambda *_: False)
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, v REAL, note BLOB, location='s3://test', "
                   "partition='hour'%s)" % options)
        for _ in range(20):  # by these it is known what is slow
            self.assertEqual(db.execute("SELECT count(*) FROM cpu WHERE v = 1").fetchone()[0], 2)
        again, waiting = threading.Event(), []

        def stall(method, *_):
            if method == "LIST":
                waiting.append(method)
                again.wait(hangs) if len(waiting) == 1 else again.set()
            return False
        server.stall = stall
        self.assertEqual(db.execute("SELECT count(*) FROM cpu WHERE v = 1").fetchone()[0], 2)
        return db.execute("SELECT requests FROM ts_last_query()").fetchone()[0], again.is_set()

    def test_on_and_off(self):
        """On by default; off by option and by the environment."""
        self.setenv("TIMESERIES_HEDGE", None)
        self.assertEqual(self.requests_of_hanging_list("", 30), (2, True))
        self.assertEqual(self.requests_of_hanging_list(", hedge='off'", 0.5), (1, False))
        self.setenv("TIMESERIES_HEDGE", "off")
        self.assertEqual(self.requests_of_hanging_list("", 0.5), (1, False))
        self.assertEqual(self.requests_of_hanging_list(", hedge='on'", 30), (2, True))
