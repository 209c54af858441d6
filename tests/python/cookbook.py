# The cookbook: reads its entries, runs them over its data, and writes the index pages in docs/cookbook/ and their counts into
# the README (python3 -m python.cookbook).
#
# sql/cookbook/LANGUAGE/entries.txt lists all that the language's reference has, one name a line; "## " begins a section, lines
# before the first one introduce the page; "name -- reason" is an entry without SQL ("no recipe yet ..." where there could be one).
# NAME.sql begins with comment lines:
#   -- One sentence of what it does or what must be known.
#   -- covers: name; name       the entries it answers, as entries.txt calls them
#   -- query: the query         more lines of it follow as "--   ..."
# and then the SQL, several statements if need be. NAME.out is what it prints: column names, then rows, joined by "|"; numbers
# with ten digits. `python3 -m python.cookbook --accept` (in tests/) runs all, writes each .out anew and the pages: read the diff.
import collections
import glob
import os
import re
import sqlite3
import sys
import tempfile

from . import support

BOOK = os.path.join(support.ROOT, "sql/cookbook")
README = os.path.join(support.ROOT, "README.md")
LANGUAGES = {"promql": "PromQL", "spl": "SPL", "cwl": "CloudWatch Logs Insights"}
LOCATION = "file:///tmp/cookbook"

Entry = collections.namedtuple("Entry", "section name reason")
Recipe = collections.namedtuple("Recipe", "name covers query notes sql")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def entries(language):
    """(introduction, [Entry]) out of entries.txt."""
    introduction, found, section = [], [], None
    for line in read(os.path.join(BOOK, language, "entries.txt")).splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif section is None:
            introduction.append(line)
        elif line.strip():
            name, _, reason = line.partition(" -- ")
            found.append(Entry(section, name.strip(), reason.strip()))
    return "\n".join(introduction).strip(), found


def recipes(language):
    return [recipe(path) for path in sorted(glob.glob(os.path.join(BOOK, language, "*.sql")))]


def recipe(path):
    covers, query, notes, lines = [], [], [], read(path).splitlines()
    while lines and lines[0].startswith("--"):
        line = lines.pop(0)[2:].rstrip()
        if line.startswith(" covers: "):
            covers = [name.strip() for name in line[len(" covers: "):].split(";")]
        elif line.startswith(" query: "):
            query.append(line[len(" query: "):])
        elif line.startswith("   ") and query:
            query.append(line[3:])
        else:
            notes.append(line.strip())
    return Recipe(os.path.splitext(os.path.basename(path))[0], covers, "\n".join(query), " ".join(notes), "\n".join(lines).strip())


def kitchen(directory, data=read):
    """A connection with all data sets loaded, their archive below the directory; data(path) is the SQL of one."""
    db = support.connect(isolation_level=None)
    for path in sorted(glob.glob(os.path.join(BOOK, "data/*.sql"))):
        db.executescript(data(path).replace(LOCATION, "file://" + directory))
    return db


def statements(sql):
    text = ""
    for line in sql.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""
    if text.strip():
        yield text


def cell(value):
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return "%.10g" % value
    if isinstance(value, bytes):
        return "x'%s'" % value.hex()
    return str(value)


def cook(db, sql):
    """What the SQL prints."""
    lines = []
    for statement in statements(sql):
        cursor = db.execute(statement)
        if cursor.description:
            lines.append("|".join(column[0] for column in cursor.description))
            lines += ["|".join(map(cell, row)) for row in cursor]
    return "\n".join(lines) + "\n"


def counts(language):
    """How many entries there are, those with SQL, recipes, and entries without a recipe yet."""
    listed, book = entries(language)[1], recipes(language)
    covered = {name for r in book for name in r.covers}
    missing = [e for e in listed if e.reason.startswith("no recipe yet")]
    return len(listed), len([e for e in listed if e.name in covered]), len(book), len(missing)


def page(language):
    """The text of docs/cookbook/LANGUAGE.md."""
    introduction, listed = entries(language)
    by_name = {name: r for r in recipes(language) for name in r.covers}
    total, covered, tested, missing = counts(language)
    out = ["# %s in SQL" % LANGUAGES[language], "",
           "Made by `tests/python/cookbook.py` from `sql/cookbook/%s/`; change it there. %s" % (language, introduction), "",
           "%d entries: %d with SQL, by %d tested recipes; %d without a recipe yet; %d that have no SQL form, with the reason." %
           (total, covered, tested, missing, total - covered - missing), ""]
    section, shown = None, set()
    for entry in listed:
        if entry.section != section:
            section = entry.section
            out += ["## " + section, ""]
        out += ["### `%s`" % entry.name, ""]
        r = by_name.get(entry.name)
        if r is None:
            out += [(entry.reason[:1].upper() + entry.reason[1:] or "Missing") + ".", ""]
        elif r.name in shown:
            out += ["See `%s.sql`, under `%s`." % (r.name, next(e.name for e in listed if e.name in r.covers)), ""]
        else:
            shown.add(r.name)
            out += ["```text", r.query, "```", "", r.notes, "", "```sql", r.sql, "```", ""]
    return "\n".join(out).rstrip() + "\n"


def counted(readme):
    """The README's text with the languages' rows of its table made anew."""
    def row(found):
        language = found[1]
        return "| [%s](docs/cookbook/%s.md) | %d | %d | %d |" % ((LANGUAGES[language], language) + counts(language)[:3])

    return re.sub(r"^\| \[[^]]*\]\(docs/cookbook/(\w+)\.md\) \|.*$", row, readme, flags=re.M)


def page_path(language):
    return os.path.join(support.ROOT, "docs/cookbook", language + ".md")


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    present = [language for language in LANGUAGES if os.path.exists(os.path.join(BOOK, language, "entries.txt"))]
    if "--accept" in sys.argv:
        with tempfile.TemporaryDirectory() as directory:
            os.environ["XDG_STATE_HOME"] = directory
            db = kitchen(directory)
            for language in present:
                for r in recipes(language):
                    try:
                        write(os.path.join(BOOK, language, r.name + ".out"), cook(db, r.sql))
                    except Exception as e:
                        print("%s/%s.sql: %s" % (language, r.name, e), file=sys.stderr)
            db.close()
    for language in present:
        write(page_path(language), page(language))
    write(README, counted(read(README)))


if __name__ == "__main__":
    main()
