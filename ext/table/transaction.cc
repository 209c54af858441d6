// Transaction: the callbacks' bookkeeping.
#include "ext/table/transaction.h"

#include <algorithm>

#include "ext/base/failpoint.h"

namespace ts {

void Transaction::join(Writer& writer, std::uint64_t spool_limit) {
  writers_.insert(&writer);
  writer.limit(spool_limit);
}

void Transaction::sync() {
  for (Writer* writer : writers_) writer->prepare();
  TS_FAILPOINT("commit.synced");
}

void Transaction::commit() noexcept {
  for (Writer* writer : writers_) writer->publish();
  end();
}

void Transaction::rollback() noexcept {
  for (Writer* writer : writers_) writer->abort();
  end();
}

void Transaction::end() noexcept {
  active_ = false;
  writers_.clear();
  savepoints_.clear();
}

std::vector<Transaction::Savepoint>::iterator Transaction::at_or_above(int number) {
  return std::find_if(savepoints_.begin(), savepoints_.end(), [number](const Savepoint& s) { return s.number >= number; });
}

void Transaction::savepoint(int number, sqlite3_stmt* statement) {
  auto found = at_or_above(number);
  if (found != savepoints_.end() && found->number == number) return;  // another table announced it before
  Positions positions;
  for (Writer* writer : writers_) positions[writer] = writer->position();
  savepoints_.insert(found, Savepoint{number, std::move(positions), statement});
}

Writer::Position Transaction::seen_by(sqlite3_stmt* statement, Writer& writer) const {
  for (const Savepoint& s : savepoints_) {
    if (!statement || s.statement != statement) continue;
    auto found = s.positions.find(&writer);
    return found == s.positions.end() ? Writer::Position() : found->second;
  }
  return writer.position();
}

void Transaction::release(int number) {
  auto first = at_or_above(number);
  if (first == savepoints_.end()) return;
  Positions positions = std::move(first->positions);
  savepoints_.erase(first, savepoints_.end());
  // Savepoints below that were never announced mean the same state, and live on.
  if (number > 0 && (savepoints_.empty() || savepoints_.back().number < number - 1)) {
    savepoints_.push_back(Savepoint{number - 1, std::move(positions)});
  }
}

void Transaction::rollback_to(int number) {
  if (number < 0) {  // a SAVEPOINT that began the transaction has no number of its own: the state before any row
    for (Writer* writer : writers_) writer->rollback_to({});
    savepoints_.clear();
    return;
  }
  auto found = at_or_above(number);
  if (found == savepoints_.end()) return;
  for (Writer* writer : writers_) writer->rollback_to(found->positions[writer]);
  found->number = number;
  savepoints_.erase(found + 1, savepoints_.end());
}

}  // namespace ts
