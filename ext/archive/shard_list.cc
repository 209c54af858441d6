// ShardList: numbers out of names, and names out of numbers.
#include "ext/archive/shard_list.h"

#include <cstring>

namespace ts {
namespace {

int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

// True when `text` is 16 bytes in lower-case hex, which are put into `bytes`.
bool from_hex(std::string_view text, std::array<unsigned char, 16>& bytes) {
  if (text.size() != 2 * bytes.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); i++) {
    int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return true;
}

std::string to_hex(const std::array<unsigned char, 16>& bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : bytes) text += {kHex[byte >> 4], kHex[byte & 15]};
  return text;
}

}  // namespace

void ShardList::add(const ShardName& name, std::string_view etag, std::uint64_t size) {
  Entry entry{name.start, name.end, name.rows, size, ulid_bits(name.id), {}, writer_index(name.writer), 0};
  if (!from_hex(etag, entry.etag)) {
    const std::uint64_t at = etags_.size();
    std::memcpy(entry.etag.data(), &at, sizeof at);
    entry.etag_length = static_cast<std::uint32_t>(etag.size()) | kPooled;
    etags_ += etag;
  }
  entries_.push_back(entry);
}

void ShardList::append(const ShardList& other, std::size_t from) {
  for (std::size_t i = from; i < other.size(); i++) {
    Entry entry = other.entries_[i];
    entry.writer = writer_index(other.writers_[entry.writer]);
    if (entry.etag_length & kPooled) {
      const std::uint64_t at = etags_.size();
      etags_ += other.etag(other.entries_[i]);
      std::memcpy(entry.etag.data(), &at, sizeof at);
    }
    entries_.push_back(entry);
  }
}

void ShardList::finish() {
  entries_.shrink_to_fit();
  etags_.shrink_to_fit();
  writers_.shrink_to_fit();
  writer_indexes_ = {};
}

std::uint32_t ShardList::writer_index(const std::string& writer) {
  auto [known, added] = writer_indexes_.try_emplace(writer, static_cast<std::uint32_t>(writers_.size()));
  if (added) writers_.push_back(writer);
  return known->second;
}

std::string ShardList::key(std::size_t i) const {
  const Entry& entry = entries_[i];
  const Schema& schema = table_->schema;
  return table_->directory + "/" + partition_name(entry.start, schema.precision, schema.partition) +
         (merged_ ? "/merged/" : "/") +
         format_shard_name({entry.start, entry.end, entry.rows, writers_[entry.writer], ulid_text(entry.ulid)}, schema.precision);
}

std::string ShardList::etag(const Entry& entry) const {
  if (!(entry.etag_length & kPooled)) return to_hex(entry.etag);
  std::uint64_t at = 0;
  std::memcpy(&at, entry.etag.data(), sizeof at);
  return etags_.substr(at, entry.etag_length & ~kPooled);
}

ShardRef ShardList::ref(std::size_t i) const {
  const Entry& entry = entries_[i];
  return {key(i), etag(entry), "", entry.size, entry.start, entry.end, entry.rows};
}

std::size_t ShardList::after(std::string_view key) const {
  std::size_t low = 0, high = entries_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    this->key(middle) > key ? high = middle : low = middle + 1;
  }
  return low;
}

std::optional<std::size_t> ShardList::find(std::string_view key) const {
  const std::size_t next = after(key);
  if (next == 0 || this->key(next - 1) != key) return std::nullopt;
  return next - 1;
}

std::size_t ShardList::memory_bytes() const {
  std::size_t bytes = sizeof *this + entries_.capacity() * sizeof(Entry) + etags_.capacity();
  for (const std::string& writer : writers_) bytes += sizeof writer + writer.capacity();
  return bytes;
}

}  // namespace ts
