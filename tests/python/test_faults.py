# Whichever file call or allocation fails: an error or a row, never both and never neither; and afterwards everything works.
import errno
import json
import unittest

from . import shim, support


class Faults(support.TimeseriesCase):
    def lives(self, name, share=1, **arguments):
        """Whole lives of a table (fault_child.py), each with another call failing; returns the summary."""
        steps = max(1, support.FAULT_STEPS // share // (10 if support.SANITIZE else 1)) if support.FAULT_STEPS else 0
        settings = dict(directory=self.path(name), options="", steps=steps, jobs=2, limit=60 * support.PATIENCE, **arguments)
        child = shim.start("python.fault_child", json.dumps(settings))
        lines = [json.loads(line) for line in child.stdout]
        child.stdout.close()
        self.assertEqual(child.wait(), 0)
        wrong = [line for line in lines if "wrong" in line]
        self.assertEqual(wrong, [], "%d of the lives of %s" % (len(wrong), name))
        summary = lines[-1]
        # A life that ends early makes fewer calls than the one that was counted, so the last few may find none to fail.
        self.assertGreaterEqual(summary["failed"], summary["lives"] * 0.9 - 2)
        if summary["lives"] >= 30:  # many failures are tried again by the flusher, and nobody is told
            self.assertGreater(summary["refused"], 0)
        print(" %s: %d of %d calls failed in turn, %d errors, %d rows" %
              (name, summary["failed"], summary["calls"], summary["refused"], summary["rows"]), flush=True)
        return summary

    def test_file_calls(self):
        """The n-th open, read, write, fsync, rename, link, unlink, mkdir, mmap or lock fails with EIO: nothing is lost or doubled."""
        self.lives("EIO once", fails="file", errno=errno.EIO, lasts=0, kinds=shim.ALL)

    @unittest.skipIf(support.SANITIZE, "sanitizers have allocators of their own")
    def test_allocations(self):
        """The n-th allocation of SQLite or C++ fails, alone or with the 19 after it: SQLITE_NOMEM or an error, and no thread dies."""
        self.lives("no memory once", fails="memory", lasts=1)
        self.lives("no memory 20 times", fails="memory", lasts=20)


if __name__ == "__main__":
    unittest.main()
