// RemoteInputs: the files of a merge, fetched from a store some at once, each pinned by its ETag.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/shard_merger.h"
#include "ext/base/cancel.h"
#include "vfs/store.h"

namespace ts {

class RemoteInputs : public MergeFiles {
 public:
  // `cancel` is polled on the thread that calls bring(), and `fetched` called there, with the bytes of each file.
  RemoteInputs(std::shared_ptr<Store> store, std::string directory, const Cancel& cancel, std::function<void(std::uint64_t)> fetched)
      : store_(std::move(store)), directory_(std::move(directory)), cancel_(cancel), fetched_(std::move(fetched)) {}
  std::vector<LocalShard> bring(const std::vector<MergeInput>& inputs, std::size_t begin, std::size_t end) override;
  void release(const LocalShard& shard) override;

 private:
  const std::shared_ptr<Store> store_;
  const std::string directory_;
  const Cancel& cancel_;
  const std::function<void(std::uint64_t)> fetched_;
};

}  // namespace ts
