// What aggregates share: a state made at a group's first row, rows that leave a window's frame, callbacks, registration.
//
// A family writes a State with
//   using Definition = ...;                                             what sqlite3_user_data points to; has a `name`
//   void step(const Definition&, int argc, sqlite3_value** argv);       a row comes
//   void inverse(const Definition&, int argc, sqlite3_value** argv);    the oldest row of a window's frame leaves
//   void result(const Definition&, sqlite3_context*, bool last);        last: the state is not asked again
// and hands it to Registrar::aggregate. A group without rows is answered by a State that was just made.
#pragma once
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sql/function_support.h"

namespace ts {

inline bool is_null(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_NULL; }

// A number that all rows of a group must agree on.
class Constant {
 public:
  void take(sqlite3_value* value, const std::string& function, const char* what) {
    const bool null = is_null(value);
    const double number = null ? 0 : number_argument(value, function);
    if (seen_ && (null != null_ || number != number_)) {
      throw Error(Code::kBadInput, function + ": " + what + " must be the same in all rows of a group; add it to GROUP BY");
    }
    seen_ = true;
    null_ = null;
    number_ = number;
  }
  bool null() const { return null_; }
  double number() const { return number_; }

 private:
  bool seen_ = false, null_ = true;
  double number_ = 0;
};

// A copy of a value of any type. Numbers are kept here, because a duplicate costs an allocation a row.
class KeptValue {
 public:
  void keep(sqlite3_value* value) {
    const int type = sqlite3_value_type(value);
    if (type == SQLITE_INTEGER) {
      integer_ = sqlite3_value_int64(value);
    } else if (type == SQLITE_FLOAT) {
      real_ = sqlite3_value_double(value);
    } else {
      std::unique_ptr<sqlite3_value, Free> copy(sqlite3_value_dup(value));
      if (!copy) throw std::bad_alloc();
      other_ = std::move(copy);
    }
    type_ = type;
  }
  void result(sqlite3_context* context) const {
    if (type_ == SQLITE_NULL) return sqlite3_result_null(context);
    if (type_ == SQLITE_INTEGER) return sqlite3_result_int64(context, integer_);
    if (type_ == SQLITE_FLOAT) return sqlite3_result_double(context, real_);
    sqlite3_result_value(context, other_.get());
  }

 private:
  struct Free {
    void operator()(sqlite3_value* value) const { sqlite3_value_free(value); }
  };
  int type_ = SQLITE_NULL;
  std::int64_t integer_ = 0;
  double real_ = 0;
  std::unique_ptr<sqlite3_value, Free> other_;
};

// Items in the order in which they came; a window's frame drops the oldest.
template <class Item>
class Frame {
 public:
  void add(Item item) { items_.push_back(std::move(item)); }
  void take_back() { items_.pop_back(); }
  void drop() {
    if (++head_ < 1'024 || head_ * 2 < items_.size()) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  void assign(std::vector<Item> items) {
    items_ = std::move(items);
    head_ = 0;
  }
  void clear() {
    items_.clear();
    head_ = 0;
  }
  bool empty() const { return items_.size() == head_; }
  std::span<Item> items() { return std::span(items_).subspan(head_); }
  std::span<const Item> items() const { return std::span(items_).subspan(head_); }
  const Item& newest() const { return items_.back(); }

 private:
  std::vector<Item> items_;
  std::size_t head_ = 0;
};

// The group's state, made at its first row; nullptr: the group has no row.
template <class State>
State* state_of(sqlite3_context* context, bool make) {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, make ? sizeof(State*) : 0));
  if (!slot && make) throw std::bad_alloc();
  if (slot && !*slot && make) *slot = new State;
  return slot ? *slot : nullptr;
}

template <class State>
void release(sqlite3_context* context) noexcept {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, 0));
  if (slot) delete *slot;
}

template <class State>
struct Callbacks {
  using Definition = typename State::Definition;
  static const Definition& definition(sqlite3_context* context) { return *static_cast<const Definition*>(sqlite3_user_data(context)); }
  static void result(sqlite3_context* context, bool last) noexcept {
    answer(context, [&] {
      State* state = state_of<State>(context, false);
      State none;
      (state ? *state : none).result(definition(context), context, last);
    });
  }
  static void xStep(sqlite3_context* context, int argc, sqlite3_value** argv) noexcept {
    answer(context, [&] { state_of<State>(context, true)->step(definition(context), argc, argv); });
  }
  static void xInverse(sqlite3_context* context, int argc, sqlite3_value** argv) noexcept {
    answer(context, [&] { state_of<State>(context, true)->inverse(definition(context), argc, argv); });
  }
  static void xValue(sqlite3_context* context) noexcept { result(context, false); }
  static void xFinal(sqlite3_context* context) noexcept {
    result(context, true);
    release<State>(context);
  }
  static void xDestroy(void* definition) noexcept { delete static_cast<Definition*>(definition); }
};

// Registers what the connection does not have under the same name.
class Registrar {
 public:
  explicit Registrar(sqlite3* db) : db_(db), taken_(function_names(db)) {}

  bool has(const std::string& name) const { return taken_.count(name) != 0; }

  // SQLite destroys the user data in every case, also when it fails.
  template <class State>
  void aggregate(const typename State::Definition& definition, int arguments, int flags = kPureFlags) const {
    using Calls = Callbacks<State>;
    if (has(definition.name)) return;
    check(sqlite3_create_window_function(db_, definition.name.c_str(), arguments, flags, new typename State::Definition(definition),
                                         Calls::xStep, Calls::xFinal, Calls::xValue, Calls::xInverse, Calls::xDestroy),
          definition.name);
  }
  // One that is no window function: its State needs no inverse.
  template <class State>
  void plain_aggregate(const typename State::Definition& definition, int arguments) const {
    using Calls = Callbacks<State>;
    if (has(definition.name)) return;
    check(sqlite3_create_function_v2(db_, definition.name.c_str(), arguments, kPureFlags, new typename State::Definition(definition),
                                     nullptr, Calls::xStep, Calls::xFinal, Calls::xDestroy),
          definition.name);
  }
  void check(int rc, const std::string& name) const {
    if (rc != SQLITE_OK) throw_sqlite(db_, rc, "timeseries: cannot register " + name);
  }

 private:
  sqlite3* db_;
  std::set<std::string> taken_;
};

}  // namespace ts
