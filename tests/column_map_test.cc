// Tests of archive/column_map: a column is found by every name it has had, what is missing is NULL, and what nobody explains is refused.
#include "ext/archive/column_map.h"

#include <doctest/doctest.h>

#include "ext/archive/schema_change.h"

using namespace ts;

namespace {

Schema first_schema() {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""},
                    {"host", "TEXT", true, false, "", ""},
                    {"usage", "REAL", false, false, "", ""},
                    {"note", "TEXT", false, false, "", ""}};
  schema.time_column = 0;
  return schema;
}

Column column(const std::string& name, const std::string& type, bool tag = false) { return {name, type, tag, false, "", ""}; }

// An archive to which this has been done in turn.
ArchiveSchemaPtr archive_after(const std::vector<SchemaStep>& steps) {
  auto archive = std::make_shared<ArchiveSchema>(ArchiveSchema{1, first_schema()});
  for (const SchemaStep& step : steps) {
    auto next = step(archive->schema, archive->number + 1);
    REQUIRE(next);
    archive = std::make_shared<ArchiveSchema>(ArchiveSchema{archive->number + 1, *next});
  }
  return archive;
}

std::shared_ptr<KnownArchive> knows(const ArchiveSchemaPtr& archive) {
  auto known = std::make_shared<KnownArchive>();
  known->offer(archive);
  return known;
}

TablePtr table(const Schema& schema, const ArchiveSchemaPtr& archive) { return make_table_def("cpu", schema.plain(), "", knows(archive)); }

std::string refusal(const TableDef& table, const Schema& file) {
  try {
    map_columns(table, file, "the object");
    return "none";
  } catch (const Error& e) {
    return (e.code() == Code::kCorrupt ? "" : "other: ") + std::string(e.what());
  }
}

}  // namespace

TEST_CASE("column map: files of before and after a change have a table's columns where their own names say") {
  const auto archive = archive_after({add_column_step(column("rack", "TEXT", true)), rename_column_step("usage", "load"),
                                      drop_column_step("note"), add_column_step(column("n", "INTEGER"))});
  const TablePtr newest = table(archive->schema, archive), old = table(first_schema(), archive);
  const auto map = map_columns(*newest, first_schema(), "x");
  CHECK(map->at == std::vector<int>{0, 1, 2, -1, -1});  // ts, host, load, rack, n
  CHECK(map->sql(2) == "\"usage\"");
  CHECK(map->sql(3) == "NULL");
  CHECK(map->time_sql() == "\"ts\"");
  CHECK(map->leaves_out());  // the note that was dropped
  const auto back = map_columns(*old, archive->schema.plain(), "x");
  CHECK(back->at == std::vector<int>{0, 1, 2, -1});
  CHECK(back->leaves_out());
  CHECK_FALSE(map_columns(*whole_table(*newest, archive->schema), first_schema(), "x")->leaves_out());
  CHECK_FALSE(map_columns(*whole_table(*newest, archive->schema), archive->schema.plain(), "x")->leaves_out());
  CHECK(map_columns(*old, first_schema(), "x")->at == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("column map: what the process does not know it looks up, once, and what nobody knows is refused") {
  const auto archive = archive_after({rename_column_step("usage", "load"), add_column_step(column("rack", "TEXT", true))});
  const auto known = knows(archive_after({}));
  const TablePtr old = make_table_def("cpu", first_schema(), "", known);
  int asked = 0;
  auto look = [&](const ArchiveSchemaPtr& seen) {
    asked++;
    CHECK(seen->number == 1);
    known->offer(archive);
    return known->newest();
  };
  CHECK(map_columns(*old, archive->schema.plain(), "x", look)->at == std::vector<int>{0, 1, 2, 3});
  CHECK(map_columns(*old, archive->schema.plain(), "x", look)->at == std::vector<int>{0, 1, 2, 3});
  CHECK(asked == 1);
  Schema foreign = first_schema();
  foreign.columns.push_back(column("alien", "TEXT"));
  CHECK(refusal(*old, foreign) ==
        "shard: its schema contradicts the table's: column \"alien\" is in the archive and not declared here: the object");
  Schema lacking = first_schema();
  lacking.columns.pop_back();  // of the first schema, and not dropped
  CHECK(refusal(*old, lacking) ==
        "shard: its schema contradicts the table's: column \"note\" is declared here and missing in the archive: the object");
  Schema both = first_schema();
  both.columns.push_back(column("load", "REAL"));
  CHECK(refusal(*old, both).rfind("shard: its schema contradicts the table's: ", 0) == 0);
}

TEST_CASE("column map: a column of another type, tag or collation is no such column, also under another name") {
  const auto archive = archive_after({rename_column_step("usage", "load")});
  const TablePtr newest = table(archive->schema, archive);
  auto changed = [&](auto change) {
    Schema file = first_schema();
    change(file.columns[2]);
    return refusal(*newest, file);
  };
  CHECK(changed([](Column&) {}) == "none");
  CHECK(changed([](Column& c) { c.type = "TEXT"; }) ==
        "shard: its schema contradicts the table's: column \"load\" is REAL here and TEXT in the archive: the object");
  CHECK(changed([](Column& c) { c.tag = true; }) ==
        "shard: its schema contradicts the table's: column \"load\" is a TAG in the archive and not here: the object");
  Schema other_time = first_schema();
  other_time.columns.push_back(column("n", "INTEGER"));
  other_time.time_column = 4;
  const auto with_n = archive_after({add_column_step(column("n", "INTEGER"))});
  CHECK(refusal(*table(with_n->schema, with_n), other_time) ==
        "shard: its schema contradicts the table's: column \"ts\" is the TIMESTAMP here and not in the archive: the object");
}

TEST_CASE("column map: a file is sorted by tags that are its first ones, and by time where the table has them all") {
  const auto archive = archive_after({add_column_step(column("a", "TEXT", true)), add_column_step(column("b", "TEXT", true))});
  const TablePtr newest = table(archive->schema, archive);
  const auto all = map_columns(*newest, archive->schema.plain(), "x");
  CHECK(all->sorted_by({1, 4, 5}, true));
  CHECK(all->sorted_by({1, 4}, false));
  CHECK_FALSE(all->sorted_by({1, 4}, true));
  const auto few = map_columns(*newest, first_schema(), "x");
  CHECK(few->sorted_by({1, 4, 5}, true));  // a and b are the same in each row
  const auto old = map_columns(*table(first_schema(), archive), archive->schema.plain(), "x");
  CHECK(old->sorted_by({1}, false));
  CHECK_FALSE(old->sorted_by({1}, true));  // its series are finer
  Schema without_a = archive->schema.plain();
  without_a.columns.erase(without_a.columns.begin() + 4);
  const auto gap = map_columns(*table(without_a, archive), archive->schema.plain(), "x");
  CHECK(gap->sorted_by({1}, false));
  CHECK_FALSE(gap->sorted_by({1, 4}, false));  // by a in between
}

TEST_CASE("column map: a declaration is told from another by all that a shard keeps of it") {
  Schema schema = first_schema();
  const std::string id = declaration_id(schema);
  CHECK(id.size() == 16);
  schema.columns[2].default_sql = "1";
  CHECK(declaration_id(schema) == id);
  schema.columns[2].type = "NUMERIC";
  CHECK(declaration_id(schema) != id);
  const TablePtr other = make_table_def("Cpu", schema, id);
  CHECK(declaration_of(other->open_name, "Cpu") == id);
  CHECK(declaration_of(make_table_def("Cpu", schema)->open_name, "Cpu") == "");
  CHECK_FALSE(declaration_of(other->open_name, "cpu"));
  CHECK_FALSE(declaration_of("cpu2", "cpu"));
  CHECK_FALSE(declaration_of("cpu#12", "cpu"));
}
