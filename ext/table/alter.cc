// The archive first, then what is known of it here.
#include "ext/table/alter.h"

namespace ts {

std::int64_t change_schema(Table& table, const std::string& what, const SchemaStep& step) {
  Session& session = table.session();
  const std::shared_ptr<Spool> spool = table.spool();
  const std::shared_ptr<Store> store = table.store_without_cache();
  const TablePtr def = table.def();
  QueryStats stats;
  StatementCancel cancel(&stats);
  ArchiveSchemaPtr now;
  session.wait_for(cancel, {[&] { now = change_archive_schema(*store, *def, what, step, &cancel); }});
  def->archive->offer(now);
  session.view(spool).db().remember_archive(def->name, now->number, schema_to_json(now->schema));
  if (table.declaration().schema.empty()) session.connect_anew();
  return now->number;
}

}  // namespace ts
