// Which files of a partition are worth merging. Pure.
//
// Laws: a file of half the target or more is left alone; what is merged is at most the target, unless two files already are more; and the
// largest file of a merge is no larger than all others of it together, so that a byte is written again only as often as its file at least
// doubles: a late row never makes a large file be written anew.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ts {

// `bytes`: of a partition's files in the order of their first rows. Each group: places of files to be merged into one, ascending.
std::vector<std::vector<std::size_t>> plan_compaction(const std::vector<std::uint64_t>& bytes, std::uint64_t target);

}  // namespace ts
