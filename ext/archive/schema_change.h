// Changing an archive's schema: the next schema-NNNNNN.json, by one conditional PUT.
//
// Of two that change it at once exactly one wins the number; the other starts over from the schema that is there then. A schema object
// carries an id that nobody else knows, so a PUT whose answer was lost is told from somebody else's by content. Files are not touched:
// what a column's name in them means is in the schema (column_map.h), and so a name is never given to another column.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ext/archive/archive_schema.h"

namespace ts {

// What becomes of a schema by a change, which gets this number. nullopt: it is so already. Throws kBadInput where it cannot be.
using SchemaStep = std::function<std::optional<Schema>(const Schema& archive, std::int64_t number)>;

SchemaStep add_column_step(const Column& column);
SchemaStep rename_column_step(const std::string& name, const std::string& new_name);
SchemaStep drop_column_step(const std::string& name);

// The archive's schema with the change in it; where there is none yet, the table's is published first. `what` ("ts_add_column") begins
// each message. Throws kUnsupported where the store cannot tell which of two was first. After another error the change may be there,
// now or later: asked for again, it is told by what it did.
ArchiveSchemaPtr change_archive_schema(Store& store, const TableDef& table, const std::string& what, const SchemaStep& step,
                                       const Cancel* cancel);

}  // namespace ts
