// Committing a partition's next record: one conditional PUT, of which one writer of each number wins.
//
// Whoever changes which files of a partition count reads its record, makes the next one, stores the files that this names, and commits.
// Who loses starts over from the new record. A record is never removed and never changed, so its number is taken for ever.
//
//   PartitionCommits commits(store, table, "ts_compact");
//   for (;;) {
//     MergeRecord before = commits.read(partition, cancel);  // where names are listed: after that, so that it is no older
//     MergeRecord next = before.next(new_ulid());
//     next.bury(ids of what is replaced, now + grace); next.add_live(...);  // files that lie in the store already
//     if (commits.commit(before, next, cancel)) break;       // else somebody was faster
//   }
//
// Nothing in a partition is removed but what its record declares dead (partition_sweep.h), and what is dead is never live again: a
// commit that would name what somebody has removed meanwhile fails, as the number is taken.
#pragma once
#include <string>

#include "ext/archive/merge_record.h"
#include "ext/base/cancel.h"
#include "vfs/store.h"

namespace ts {

// Proves on the table's schema object that the store refuses a second conditional PUT, by putting its own bytes once more: a store that
// ignores the condition is left as it was. Throws kUnsupported where it is not so, saying that `what` ("ts_compact") needs it.
void prove_conditional_put(Store& store, const std::string& table_directory, const std::string& what, const Cancel* cancel);

// The record in an object that was listed under a key that has been understood.
MergeRecord read_merge_record(Store& store, const TableDef& table, const std::string& partition, const ObjectInfo& object,
                              const Cancel* cancel);

// Of one table, for one piece of work. Used by one thread.
class PartitionCommits {
 public:
  // `what` is to be done, in errors: "ts_compact". The store, without a cache, and the table outlive it.
  PartitionCommits(Store& store, const TableDef& table, std::string what) : store_(store), table_(table), what_(std::move(what)) {}

  // The partition's highest record; of sequence 0 where there is none. Throws kTooNew at a record's name that is not understood.
  MergeRecord read(const std::string& partition, const Cancel* cancel);

  // True: `next` is the partition's record. False: its number is somebody else's; nothing was changed. Throws kCorrupt when `next`
  // breaks a law; kUnsupported when the store cannot do it, which is proved before the first commit. After another error the record may
  // be there, now or later: read() tells, by its id, and until then nothing that it names or replaces may be removed.
  bool commit(const MergeRecord& before, const MergeRecord& next, const Cancel* cancel);

 private:
  std::string id_in_store(const MergeRecord& record, const std::string& key, const Cancel* cancel);

  Store& store_;
  const TableDef& table_;
  const std::string what_;
  bool proved_ = false;
};

}  // namespace ts
