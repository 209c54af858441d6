// CatalogueStore: names out of numbers.
#include "bench/catalogue_store.h"

#include <algorithm>
#include <cstdio>

#include "ext/base/clock.h"

namespace ts_bench {

ts::ShardName CatalogueStore::name(std::int64_t n) const {
  std::array<unsigned char, 10> random{};
  for (std::size_t i = 0; i < 8; i++) random[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(n) >> (8 * i));
  const std::int64_t start = first_ + n * step_;
  return {start, start + step_ - 1, n % 1000 + 1, "web" + std::to_string(n % 16), ts::make_ulid(1'700'000'000'000 + n, random)};
}

std::string CatalogueStore::key(std::int64_t n) const {
  const ts::ShardName shard = name(n);
  const ts::Schema& schema = table_->schema;
  return table_->directory + "/" + ts::partition_name(shard.start, schema.precision, schema.partition) + "/" +
         ts::format_shard_name(shard, schema.precision);
}

ts::ListPage CatalogueStore::list(std::string_view prefix, std::string_view start_after, const ts::Cancel* cancel) {
  {
    std::lock_guard lock(mutex_);
    lists_.emplace_back(start_after);
  }
  std::int64_t now = ++in_flight_, most = most_in_flight_;
  while (now > most && !most_in_flight_.compare_exchange_weak(most, now)) {
  }
  if (latency_ms_ > 0) ts::Clock::system().sleep_ms(latency_ms_);
  const std::string_view after = std::max(start_after, prefix);
  std::int64_t low = 0, high = count_;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    key(middle) > after ? high = middle : low = middle + 1;
  }
  ts::ListPage page;
  std::uint64_t bytes = 0;
  for (std::int64_t n = low; n < std::min(low + kPage, count_); n++) {
    char etag[33];
    std::snprintf(etag, sizeof etag, "%032llx", static_cast<unsigned long long>(n) * 0x9E3779B97F4A7C15u);
    page.objects.push_back({key(n), 4096, etag});
    bytes += page.objects.back().key.size() + 32;
  }
  page.more = low + kPage < count_;
  if (cancel) cancel->charge(1, bytes);
  --in_flight_;
  return page;
}

ts::Range CatalogueStore::get_range(std::string_view key, std::string_view, std::uint64_t, std::uint64_t, const ts::Cancel*) {
  throw ts::Error(ts::Code::kUnsupported, "catalogue store: it holds no bytes: " + ts::object_name(*this, key));
}

ts::PutResult CatalogueStore::put_if_absent(std::string_view key, std::string_view, const ts::Cancel*) {
  throw ts::Error(ts::Code::kUnsupported, "catalogue store: it takes no object: " + ts::object_name(*this, key));
}

void CatalogueStore::remove(std::string_view key, const ts::Cancel*) {
  throw ts::Error(ts::Code::kUnsupported, "catalogue store: it removes no object: " + ts::object_name(*this, key));
}

std::vector<std::string> CatalogueStore::lists() const {
  std::lock_guard lock(mutex_);
  return lists_;
}

void CatalogueStore::reset_counts() {
  std::lock_guard lock(mutex_);
  lists_.clear();
  most_in_flight_ = 0;
}

}  // namespace ts_bench
