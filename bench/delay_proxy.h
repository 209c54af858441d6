// DelayProxy: a loopback TCP proxy that adds the same delay each way, so that a local server answers as a distant one would.
//
// Connections are independent, bytes keep their order, bandwidth is not limited. The kernel accepts a connection at once, so the
// handshake's round trip is added to what a client sends first: a first request on a new connection costs two round trips from
// connect on, one when the connection was opened at least a round trip before. One thread; ends with the object.
#pragma once
#include <memory>

namespace ts_bench {

class DelayProxy {
 public:
  DelayProxy(int target_port, int one_way_ms);
  ~DelayProxy();
  DelayProxy(const DelayProxy&) = delete;
  DelayProxy& operator=(const DelayProxy&) = delete;

  int port() const;
  struct Traffic {
    int connections = 0;
    // The longest chain of waits: a request is one deeper than the deepest answer of which a byte had arrived, on any connection,
    // when it was sent; the handshake of a new connection counts as one. Streams that overlap make it larger, never smaller.
    int round_trips = 0;
  };
  Traffic take_traffic();  // since it was taken last

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts_bench
