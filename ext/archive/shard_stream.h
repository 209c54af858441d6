// A stream over one sealed shard, decoded by worker threads in batches a little ahead of the statement.
#pragma once
#include <memory>

#include "ext/archive/shard_files.h"

namespace ts {

// `files`, `store`, `cancel`, `stats` and `probe` outlive the stream. Its end calls off what is under way.
std::unique_ptr<RowStream> stream_shard(ShardFiles& files, std::shared_ptr<Store> store, TablePtr table, ShardRef ref,
                                        std::shared_ptr<const ScanPlan> plan, const Cancel* cancel, QueryStats* stats,
                                        InterruptProbe& probe);

}  // namespace ts
