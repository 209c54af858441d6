// new_ulid(): the one impure corner of names.
#include <cstring>

#include "ext/archive/shard_name.h"
#include "ext/base/clock.h"
#include "ext/base/file.h"

namespace ts {

std::string new_ulid() {
  std::string bytes = random_bytes(10);
  std::array<unsigned char, 10> random;
  std::memcpy(random.data(), bytes.data(), random.size());
  return make_ulid(Clock::system().now_ms(), random);
}

}  // namespace ts
