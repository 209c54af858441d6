// Cursor: one scan of a timeseries table: sources of the statement's snapshot, merged or one after the other.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ext/table/sources.h"

namespace ts {

class Cursor : public sqlite3_vtab_cursor {
 public:
  explicit Cursor(Table& table) : table_(table), statement_(table.session()) {}
  ~Cursor() { close(); }
  void filter(int plan_number, const char* plan_text, sqlite3_value** arguments);
  void next();
  void failed(const Error& error) noexcept { statement_->failed(error); }  // next() threw it
  bool eof() const { return current_ < 0; }
  void column(sqlite3_context* context, int index);
  sqlite3_int64 rowid() const;

 private:
  // Ordinals of rows: bits 0..39 the row in its source, above them the source. The same in every scan of a statement.
  static constexpr int kRowBits = 40;

  struct Reading : Source {
    std::unique_ptr<RowStream> stream;
  };
  struct Head {
    std::int64_t time;
    int source;
  };

  void close() noexcept;
  void begin();             // finds sources, and the first row
  void add_sources(std::vector<Source> found);
  void check_cost() const;
  bool list_on();  // finds more sources; false: there are none
  bool must_list() const;
  RowStream& stream(std::size_t source);
  void account() noexcept;  // what was returned so far, and how long it took
  bool advance(int source);  // to its next row; false: it has no more
  void open_due();           // sources that may hold the next row
  void next_by_time();
  void next_by_tags();
  std::size_t ahead(std::size_t most) const;  // of opened_, how many sources shall be under way
  void prefetch();
  void drop(int source) { sources_[static_cast<std::size_t>(source)].stream.reset(); }
  bool before(const Head& a, const Head& b) const;
  int compare_tags(int a, int b) const;  // of the rows at which two sources stand

  Table& table_;
  StatementHold statement_;
  LocalSnapshot* local_ = nullptr;
  std::shared_ptr<ScanPlan> plan_;
  std::optional<SourceFinder> finder_;
  bool more_ = false;       // sources are still to be found,
  std::int64_t bound_ = 0;  // and none of them ends later, or begins earlier
  std::vector<int> slots_;        // column -> index in plan_->columns
  std::vector<Reading> sources_;  // in the order in which they are opened
  int named_ = -1;                // the source whose file's name is in name_
  std::string name_;
  std::vector<Head> heap_;        // of open sources, for ordered scans
  std::int64_t run_until_ = 0;    // sorted by tags: the current source goes on as long as its tags stay and its time is not later
  std::size_t opened_ = 0, prefetched_ = 0, announced_ = 0;
  int current_ = -1;
  std::int64_t returned_ = 0;
};

}  // namespace ts
