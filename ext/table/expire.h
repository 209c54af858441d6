// ts_expire(table, before [, dry_run]): old partitions leave the archive.
#pragma once
#include "ext/table/facts.h"

namespace ts {

//   partition, files, rows, bytes, removed      one row per partition that went or would go, or of which files were removed
// `from`: the time before which partitions end; `to`: 1 for a dry run, which changes nothing.
FactRows expire(Session& session, const FactArguments& arguments);

}  // namespace ts
