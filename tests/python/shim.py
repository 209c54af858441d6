# The library of tests/support/shim, from Python: how a host gets it preloaded, and how it is armed there.
import ctypes
import os
import subprocess
import sys

if __package__ in (None, ""):
    from python import support
else:
    from . import support

PATH = os.environ.get("TIMESERIES_SHIM") or os.path.join(os.path.dirname(support.WITH_FAILPOINTS), "timeseries_shim.so")

OPEN, CREATE, READ, WRITE, SYNC, NAME, REMOVE, MAP, LOCK = (1 << i for i in range(9))
ALL = 511
NETWORK, LOCK, SLEEP, MUTEX = range(4)  # of shim_waits


def start(module, *arguments, **more):
    """A process that runs `python -m MODULE ARGUMENTS...` in tests/ with the library preloaded."""
    preload = ":".join(filter(None, [support.PRELOAD, PATH]))
    env = support.environment(PYTHONPATH=os.path.join(support.ROOT, "tests"), LD_PRELOAD=preload)
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, env=env, **more)


def library():
    """In a process that has it preloaded."""
    lib = ctypes.CDLL(PATH)
    lib.shim_last.restype = ctypes.c_char_p
    return lib
