# Tests of timeseries.so as its users load it: through Python's own sqlite3 and the stock sqlite3 shell.
