# Runs the tests of this package and ends with exact counts: a test with several failing subtests is one failed test.
#
# python3 -m python [-k NAME] [COUNTS_FILE] in tests/; COUNTS_FILE gets "passed failed skipped". Plain `python3 -m unittest` works as well.
import os
import sys
import time
import unittest

SLOW = 5  # seconds; slower tests are listed


class Result(unittest.TextTestResult):
    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        took = time.monotonic() - self.began
        if took >= SLOW:
            self.stream.writeln(" %s took %.0f s" % (test.id(), took))


def whole(test):
    return getattr(test, "test_case", test).id()


def main(arguments):
    loader = unittest.TestLoader()
    if arguments[:1] == ["-k"]:
        loader.testNamePatterns = ["*%s*" % arguments[1]]
        arguments = arguments[2:]
    here = os.path.dirname(os.path.abspath(__file__))
    suite = loader.discover(here, top_level_dir=os.path.dirname(here))
    result = unittest.TextTestRunner(resultclass=Result).run(suite)
    failed = {whole(test) for test, _ in result.failures + result.errors} | {test.id() for test in result.unexpectedSuccesses}
    failed |= {"loading: " + error for error in loader.errors if not result.errors}
    skipped = {whole(test) for test, _ in result.skipped} - failed
    # setUpClass and the like fail under a name that is no test's and was not run.
    no_tests = sum(1 for name in failed if name.startswith(("setUp", "tearDown", "loading: ")))
    passed = max(0, result.testsRun - (len(failed) - no_tests) - len(skipped))
    if arguments:
        with open(arguments[0], "w") as f:
            f.write("%d %d %d\n" % (passed, len(failed), len(skipped)))
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
