# The short way to everything: make, make demo, make test. CMakeLists.txt holds the build, tests/run.sh the test run.
comma    := ,
SANITIZE ?=
PREFIX   ?= /usr/local
JOBS     ?= $(shell nproc 2>/dev/null || echo 2)
BUILD    ?= build/$(if $(SANITIZE),$(subst $(comma),-,$(SANITIZE)),default)
CMAKE_ARGS ?=
BENCH_ARGS ?=
# How long `make check` goes on, where `make test` takes the small default in tests/run.sh.
CHECK_KILL_ROUNDS         ?= 300
CHECK_DIFFERENTIAL_QUERIES ?= 20000
CHECK_FUZZ_SECONDS        ?= 60
CHECK_ORACLE_SEEDS        ?= 20
CHECK_FAULT_STEPS         ?= 2000
CHECK_POWER_STATES        ?= 1500
CHECK_OUTAGE_SECONDS      ?= 60
CHECK_HOST_FILES          ?= 10000
CHECK_MANY_WRITERS        ?= 16
FUZZ_SECONDS              ?= 30
export SANITIZE BUILD

.PHONY: all demo test check check-long check-address check-thread fuzz bench install format clean help \
        build-timeseries build-tests packages-build packages-test packages-check packages-format

all: build-timeseries

packages-build packages-test packages-check packages-format:
	@.ci/packages $(@:packages-%=%)

$(BUILD)/build.ninja:
	cmake -S . -B $(BUILD) -G Ninja -DSANITIZE=$(SANITIZE) $(CMAKE_ARGS)

# A build directory made before doctest was installed has no target `tests`: configure again.
build-timeseries: packages-build
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	cmake --build $(BUILD) -j $(JOBS) --target timeseries

build-tests: packages-build packages-test
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	@grep -q '^build tests:' $(BUILD)/build.ninja || cmake -S . -B $(BUILD)
	cmake --build $(BUILD) -j $(JOBS) --target tests

demo: build-timeseries
	bench/demo.sh

test: build-tests
	tests/run.sh

check: packages-build packages-test packages-check
	$(MAKE) check-long
	$(MAKE) check-address
	$(MAKE) check-thread
	$(MAKE) fuzz

check-long check-address check-thread: export TIMESERIES_TEST_TIMEOUT = $(CHECK_TIMEOUT_SECONDS)

check-long:
	TIMESERIES_KILL_ROUNDS=$(CHECK_KILL_ROUNDS) TIMESERIES_DIFFERENTIAL_QUERIES=$(CHECK_DIFFERENTIAL_QUERIES) \
	TIMESERIES_FUZZ_SECONDS=$(CHECK_FUZZ_SECONDS) TIMESERIES_ORACLE_SEEDS=$(CHECK_ORACLE_SEEDS) \
	TIMESERIES_FAULT_STEPS=$(CHECK_FAULT_STEPS) TIMESERIES_POWER_STATES=$(CHECK_POWER_STATES) \
	TIMESERIES_OUTAGE_SECONDS=$(CHECK_OUTAGE_SECONDS) TIMESERIES_HOST_FILES=$(CHECK_HOST_FILES) \
	TIMESERIES_MANY_WRITERS=$(CHECK_MANY_WRITERS) $(MAKE) test SANITIZE=

# clang for one and gcc for the other, so that both compile everything with -Werror.
check-address: packages-check
	CXX=clang++ $(MAKE) test SANITIZE=address,undefined BUILD=build/address-undefined

check-thread: packages-check
	CXX=g++ $(MAKE) test SANITIZE=thread BUILD=build/thread

# libFuzzer on each target of tests/fuzz for FUZZ_SECONDS; what it finds is left in build/fuzz/findings.
fuzz: packages-build packages-check
	@CXX=clang++ $(MAKE) --no-print-directory build/fuzz/build.ninja BUILD=build/fuzz SANITIZE=fuzzer-no-link$(comma)address$(comma)undefined
	cmake --build build/fuzz -j $(JOBS) --target fuzz
	tests/fuzz.sh build/fuzz/fuzz $(FUZZ_SECONDS)

bench: build-timeseries
	cmake --build $(BUILD) -j $(JOBS) --target bench
	$(BUILD)/bench $(BENCH_ARGS)

# Then, in the shell: .load /usr/local/lib/sqlite3/timeseries
install: build-timeseries
	install -D -m 644 timeseries.so $(DESTDIR)$(PREFIX)/lib/sqlite3/timeseries.so

format: packages-format
	find ext vfs sql tests bench -name '*.h' -o -name '*.cc' | xargs clang-format -i

clean:
	rm -rf build demo-archive timeseries.so

help:
	@echo 'make           installs missing packages when it can, builds ./timeseries.so'
	@echo 'make demo      the main job on a local directory, in a few seconds'
	@echo 'make test      unit and Python tests, against a private S3 server on loopback'
	@echo 'make check     make test with longer loops, then under ASan/UBSan, then under TSan, then make fuzz'
	@echo 'make fuzz      libFuzzer on every parser of strangers'\'' bytes, FUZZ_SECONDS=$(FUZZ_SECONDS) each'
	@echo 'make bench     named workloads, paired with raw SQLite'
	@echo 'make install   timeseries.so to PREFIX/lib/sqlite3 (PREFIX=$(PREFIX))'
	@echo 'make format    clang-format over all C++'
	@echo 'make clean     removes what the others made'
	@echo 'tests/run.sh unit|python [NAME]   only some of the tests, as built'
