// Writer: buffering, spilling, the two-step commit.
#include "ext/archive/writer.h"

#include <algorithm>

#include "ext/archive/flusher.h"
#include "ext/base/clock.h"
#include "ext/base/failpoint.h"

namespace ts {

Writer::~Writer() {
  if (spool_->stale()) {
    abandon();
    return;
  }
  abort();
  if (shard_) spool_->give_back(std::move(shard_));
}

void Writer::abandon() noexcept {
  if (shard_) shard_->abandon(), shard_.release();
  if (spill_) spill_->abandon(), spill_.release();
  scratch_.abandon();
  pending_.clear();
}

Writer::Pending& Writer::pending(const TablePtr& table) {
  if (last_ && last_->table == table) return *last_;
  auto found = pending_.find(table->open_name);
  if (found == pending_.end()) {
    found = pending_.emplace(table->open_name, Pending{table, RowBuffer(static_cast<int>(table->schema.columns.size())), 0, 0, {}}).first;
  }
  return *(last_ = &found->second);
}

void Writer::added(std::size_t rows) {
  if (!last_ || last_->rows.bytes() <= kSpillBytes) return;
  try {
    spill();
  } catch (...) {
    Position before = position();
    before[last_->table->open_name] -= static_cast<std::int64_t>(rows);
    rollback_to(before);
    throw;
  }
}

void Writer::limit(std::uint64_t spool_limit) {
  if (spool_limit && (limit_ == 0 || spool_limit < limit_)) limit_ = spool_limit;
}

Writer::Position Writer::position() const {
  Position position;
  for (const auto& [name, p] : pending_) position[name] = p.spilled + static_cast<std::int64_t>(p.rows.rows());
  return position;
}

TablePtr Writer::table(const std::string& open_name) const {
  auto found = pending_.find(open_name);
  return found == pending_.end() ? nullptr : found->second.table;
}

bool Writer::empty() const {
  return std::all_of(pending_.begin(), pending_.end(), [](const auto& p) { return p.second.rows.rows() == 0 && p.second.spilled == 0; });
}

void Writer::rollback_to(const Position& position) {
  if (prepared_) take_back();
  epoch_++;
  bool nothing_spilled = true;
  for (auto& [name, p] : pending_) {
    auto found = position.find(name);
    std::int64_t keep = found == position.end() ? 0 : found->second;
    std::int64_t in_memory = std::max<std::int64_t>(0, keep - p.spilled);
    if (keep < p.spilled) {
      if (!broken_) spill_->truncate(*p.table, keep);
      p.spilled = keep;
    }
    if (p.spilled) nothing_spilled = false;
    if (in_memory >= static_cast<std::int64_t>(p.rows.rows())) continue;
    p.rows.truncate(static_cast<std::size_t>(in_memory));
    if (p.in_scratch > in_memory) {
      scratch_.exec("DELETE FROM " + p.scratch_table + " WHERE rowid>" + std::to_string(in_memory));
      p.in_scratch = in_memory;
    }
  }
  if (broken_ && nothing_spilled) {  // what SQLite undid was to go anyway
    spill_->abort();
    spool_->drop(std::move(spill_));
    broken_ = false;
  }
}

void Writer::spill() {
  if (broken_) throw Error(Code::kIo, "spool: an earlier error undid this transaction; roll it back");
  check_limit();
  if (!spill_) {
    spill_ = spool_->take_shard(true, newest_);
    if (!spill_->begin()) {
      spool_->drop(std::move(spill_));
      throw Error(Code::kBusy, "spool: a fresh shard is locked in " + spool_->directory());
    }
  }
  try {
    for (auto& [name, p] : pending_) {
      TS_FAILPOINT("spill.insert");
      spill_->insert(p.table, p.rows);
      p.spilled += static_cast<std::int64_t>(p.rows.rows());
      p.rows.clear();
      p.in_scratch = 0;
      p.scratch_table.clear();  // a statement may still read the old one, so later rows get another
    }
  } catch (...) {
    broken_ = spill_->undone();
    throw;
  }
}

// Back to the state before prepare(). Spilled rows move to another shard: theirs may be fenced by now.
void Writer::take_back() {
  std::unique_ptr<OpenShard> prepared;
  if (spill_) {
    auto fresh = spool_->take_shard(true, newest_);
    try {
      if (!fresh->begin()) throw Error(Code::kBusy, "spool: a fresh shard is locked in " + spool_->directory());
      copy_spilled(*fresh);
    } catch (...) {
      fresh->abort();
      spool_->drop(std::move(fresh));
      throw;
    }
    prepared = std::move(spill_);
    spill_ = std::move(fresh);
  } else {
    prepared = std::move(shard_);
  }
  prepared_ = false;
  if (prepared->abort()) {
    spool_->give_back(std::move(prepared));
  } else {
    spool_->drop(std::move(prepared));
  }
}

void Writer::copy_spilled(OpenShard& to) {
  for (auto& [name, p] : pending_) {
    if (p.spilled == 0) continue;
    int columns = p.rows.columns();
    std::string list;
    for (const Column& column : p.table->schema.columns) list += (list.empty() ? "" : ",") + quote_identifier(column.name);
    Statement rows = spill_->db().prepare("SELECT " + list + " FROM main." + quote_identifier(p.table->open_name) + " ORDER BY rowid");
    RowBuffer piece(columns);
    for (bool more = true; more;) {
      more = rows.step();
      if (more) {
        piece.begin_row();
        for (int c = 0; c < columns; c++) piece.add_column(rows.get(), c);
      }
      if (!more || piece.bytes() > kSpillBytes) {
        to.insert(p.table, piece);
        piece.clear();
      }
    }
  }
}

void Writer::check_limit() {
  if (limit_ == 0) return;
  std::uint64_t coming = 0;
  for (const auto& [name, p] : pending_) coming += p.rows.bytes();
  std::uint64_t bytes = spool_->row_bytes();
  if (bytes + coming <= limit_) return;
  throw Error(Code::kFull, "timeseries: the spool is full: " + spool_->directory() + " holds " + std::to_string(bytes) +
                               " bytes, spool_limit is " + std::to_string(limit_) + "; what waits there goes to " + spool_->location() +
                               ": ts_status says what hinders it, or raise spool_limit");
}

OpenShard& Writer::shard_to_write() {
  constexpr int kTries = 16;  // each try meets a shard that somebody closed in this instant
  // One from before a table asked for durability='full' would not survive power loss.
  if (shard_ && spool_->full_durability() && !shard_->durable()) spool_->give_back(std::move(shard_));
  for (int i = 0; i < kTries; i++) {
    if (!shard_) shard_ = spool_->take_shard(false, newest_);
    if (shard_->begin()) return *shard_;
    spool_->drop(std::move(shard_));
  }
  throw Error(Code::kBusy, "spool: every shard is taken in " + spool_->directory());
}

void Writer::prepare() {
  if (broken_) throw Error(Code::kIo, "spool: an earlier error undid this transaction; roll it back");
  if (prepared_ || empty()) return;
  check_limit();
  TS_FAILPOINT("commit.begin");
  if (spill_) {
    spill();
    spill_->prepare();
  } else {
    OpenShard& shard = shard_to_write();
    try {
      for (auto& [name, p] : pending_) shard.insert(p.table, p.rows);
      TS_FAILPOINT("commit.inserted");
      shard.prepare();
    } catch (...) {
      if (!shard.abort()) spool_->drop(std::move(shard_));
      throw;
    }
  }
  prepared_ = true;
  TS_FAILPOINT("commit.prepared");
}

void Writer::publish() noexcept {
  if (prepared_) {
    prepared_ = false;
    commits_++;
    for (const auto& [name, p] : pending_) written_ += p.rows.bytes();
    if (spill_) {
      spill_->publish(Clock::system().now_ms());
      if (shard_) spool_->give_back(std::move(shard_));
      shard_ = std::move(spill_);
      written_ += kSpillBytes;
    } else {
      shard_->publish(Clock::system().now_ms());
    }
    newest_ = shard_->id();
    try {
      TS_FAILPOINT("commit.published");
      spool_->flusher().start();
      if (written_ >= spool_->flush_size() / 2) {
        written_ = 0;
        spool_->flusher().wake();
      }
    } catch (...) {
      // No thread to be had: the rows are committed; the next writer or flush starts it.
    }
  }
  forget_rows();
}

void Writer::abort() noexcept {
  broken_ = false;
  if (spill_) {
    bool clean = spill_->abort();
    if (clean) {
      spool_->give_back(std::move(spill_));
    } else {
      spool_->drop(std::move(spill_));
    }
  } else if (prepared_ && !shard_->abort()) {
    spool_->drop(std::move(shard_));
  }
  prepared_ = false;
  epoch_++;
  forget_rows();
}

void Writer::forget_rows() {
  for (auto& [name, p] : pending_) {
    p.rows.clear();
    p.spilled = p.in_scratch = 0;
    p.scratch_table.clear();
  }
  limit_ = 0;
  scratch_.close();  // statements that still read it keep it alive until they end
  scratch_buffers_.clear();
}

Writer::OwnRows Writer::own_rows(const TablePtr& table) {
  Pending& p = pending(table);
  if (!scratch_) scratch_ = Database(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  int columns = p.rows.columns();
  std::string buffer = "rows" + std::to_string(columns);
  if (scratch_buffers_.insert(columns).second) register_buffer_table(scratch_.get(), buffer, columns, &scratch_view_);
  if (p.scratch_table.empty()) {
    p.scratch_table = quote_identifier(table->open_name + "#" + std::to_string(++scratch_tables_));
    scratch_.exec("CREATE TABLE " + p.scratch_table + "(" + shard_columns_sql(table->schema) + ")");
  }
  std::size_t have = static_cast<std::size_t>(p.in_scratch);
  if (have < p.rows.rows()) {
    scratch_view_ = BufferView{&p.rows, nullptr, have, p.rows.rows()};
    scratch_.exec("INSERT INTO " + p.scratch_table + " SELECT * FROM " + buffer);
    p.in_scratch = static_cast<std::int64_t>(p.rows.rows());
  }
  return {p.spilled ? &spill_->db() : nullptr, p.spilled, &scratch_, p.scratch_table, p.in_scratch};
}

}  // namespace ts
