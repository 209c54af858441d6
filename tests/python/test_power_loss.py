# Power lost at any event: under durability='full' every acknowledged row is there once, under 'normal' the table is consistent.
import json
import subprocess
import sys
import unittest

from . import shim, support


class PowerLoss(support.TimeseriesCase):
    def lose(self, durability, states):
        """Records a writer's life, and recovers from losses of power at events spread over it, or at each one."""
        states = states if not support.SANITIZE else max(1, states // 10)
        arguments = json.dumps(dict(root=self.path("root"), log=self.path("log"), durability=durability, rounds=3, seed=support.POWER_SEED,
                                    states=states, limit=60 * support.PATIENCE))
        recorder = shim.start("python.power_child", "record", arguments)
        recorder.stdout.close()
        self.assertEqual(recorder.wait(), 0)
        done = subprocess.run([sys.executable, "-m", "python.power_child", "recover", arguments], cwd=support.ROOT + "/tests", text=True,
                              stdout=subprocess.PIPE, env=support.environment(), check=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        wrong = [line for line in lines if "wrong" in line]
        self.assertEqual(wrong, [], "%d of the states of %s" % (len(wrong), durability))
        print(" %s: power lost in %d states of a disk, over %d events and %d rows" %
              (durability, lines[-1]["states"], lines[-1]["events"], lines[-1]["rows"]), flush=True)
        self.assertEqual(lines[-1]["states"], states)

    def test_full(self):
        """durability='full': acknowledged rows are there once, refused ones never, a transaction whole, whatever was not synced."""
        self.lose("full", support.POWER_STATES)

    def test_full_beside_normal(self):
        """A table that asks for 'full' in a connection and a spool where one without has written already gets it."""
        self.lose("mixed", support.POWER_STATES // 2)

    def test_normal(self):
        """durability='normal': what was flushed is there, nothing doubled or torn, and the table goes on."""
        self.lose("normal", support.POWER_STATES // 2)


if __name__ == "__main__":
    unittest.main()
