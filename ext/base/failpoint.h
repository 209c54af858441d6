// Failpoints: named places where a test kills, pauses or fails the process. Compiled to nothing in the product.
//
// In the test build the environment decides: TIMESERIES_FAILPOINT="seal.commit=kill", "name@3=kill" (third passage),
// "name=error", "name=corrupt" (as if bytes were not what they must be), "name=pause:/tmp/x": creates /tmp/x and waits until
// somebody removes it. Several are joined by ';'.
#pragma once
#ifdef TIMESERIES_FAILPOINTS
namespace ts {
void failpoint(const char* name);
}
#define TS_FAILPOINT(name) ::ts::failpoint(name)
#else
#define TS_FAILPOINT(name) static_cast<void>(0)
#endif
