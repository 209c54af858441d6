# docs/FUNCTIONS.md against the functions that a connection gets by loading: names, argument counts, units, and what each section tells.
import re
import sqlite3

from . import support
from .test_readme import forms_by_unit, readme, reference

# The family's introduction speaks for its sections.
TOLD = {"what is NULL": r"\bNULL\b", "what is an error": r"\b[Ee]rrors?\b"}


def argument_counts(text):
    """Of 'value, ts [, from, to]': {2, 4}. An optional group may hold others."""
    depth, outside, groups = 0, "", []
    for c in text:
        if c == "[":
            depth += 1
            groups += [""] if depth == 1 else ["" + groups.pop() + c]
        elif c == "]":
            depth -= 1
            if depth:
                groups[-1] += c
        elif depth:
            groups[-1] += c
        else:
            outside += c
    counts = {len([a for a in outside.split(",") if a.strip()])}
    for group in groups:
        counts |= {count + more for count in counts for more in argument_counts(group)}
    return counts


def sections():
    """(name, arguments, text, the family's introduction) of every section."""
    for family in reference().split("\n## ")[1:]:
        introduction, *parts = family.split("\n### ")
        for part in parts:
            heading, _, text = part.partition("\n")
            name, arguments = re.fullmatch(r"(\w+)\((.*)\)", heading).groups()
            yield name, arguments, " ".join(text.split()), introduction


def functions(db):
    """{name: the argument counts that it has}; fails where the host was built without the list."""
    try:
        rows = db.execute("SELECT name, narg FROM pragma_function_list").fetchall()
    except sqlite3.Error as e:
        raise AssertionError("this SQLite has no pragma_function_list, so nothing can be compared: %s" % e)
    found = {}
    for name, narg in rows:
        found.setdefault(name, set()).add(narg)
    return found


class FunctionsReference(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        plain = sqlite3.connect(":memory:")
        self.addCleanup(plain.close)
        self.before = functions(plain)
        self.db = self.connect()
        self.after = functions(self.db)
        self.modules = {name for (name,) in self.db.execute("SELECT name FROM pragma_module_list")}

    def documented(self):
        """{name: argument counts}, with the forms by unit, of what the reference tells."""
        found = {}
        for name, arguments, _, _ in sections():
            for form in forms_by_unit(arguments):
                found.setdefault(name + form, set()).update(argument_counts(arguments))
        return found

    def test_argument_counts_are_read(self):
        for text, counts in (("", {0}), ("a", {1}), ("a, b [, c] [, d]", {2, 3, 4}), ("a, b [, c, d]", {2, 4}),
                             ("a [, b [, c]]", {1, 2, 3}), ("a, b, c [, 'g']", {3, 4})):
            self.assertEqual(argument_counts(text), counts, text)

    def test_what_loading_adds_is_told_with_its_arguments(self):
        """Only the functions of the README, which test_readme looks after, have no section here."""
        added = {name: counts for name, counts in self.after.items() if counts != self.before.get(name)}
        told = self.documented()
        missing = {name for name in added if name not in told}
        self.assertEqual({name for name in missing if not re.search(r"`%s\b" % name, readme())}, set())
        self.assertLess(len(missing), 20)
        self.assertEqual({name: counts for name, counts in added.items() if name not in missing and counts != told[name]}, {})

    def test_what_is_told_is_there_with_its_arguments(self):
        told = self.documented()
        self.assertGreater(len(told), 200)
        absent = {name for name, counts in told.items() if name not in self.modules and not counts <= self.after.get(name, set())}
        self.assertEqual(absent, set())

    def test_loading_takes_no_function_of_the_host_away(self):
        self.assertEqual({name for name, counts in self.before.items() if not counts <= self.after.get(name, set())}, set())
        shadowed = self.db.execute("SELECT name, narg FROM pragma_function_list WHERE builtin = 0 INTERSECT "
                                   "SELECT name, narg FROM pragma_function_list WHERE builtin = 1").fetchall()
        self.assertEqual(shadowed, [])

    def test_forms_by_unit_are_all_or_none(self):
        names = {name for name in self.after if name not in self.before}
        for name in sorted(names):
            base = re.sub("_(s|us|ns)$", "", name)
            if base != name:
                self.assertLessEqual({base + form for form in forms_by_unit("ts")}, names, name)
                self.assertEqual(self.after[base + "_s"], self.after[base + "_ns"], base)

    def test_each_section_tells_null_errors_and_source(self):
        untold = []
        for name, arguments, text, introduction in sections():
            if not re.search(r"\bSources?: \S", text):
                untold.append("%s(%s): its source" % (name, arguments))
            untold += ["%s(%s): %s" % (name, arguments, what) for what, words in TOLD.items() if not re.search(words, introduction + text)]
        self.assertEqual(untold, [])
        self.assertIn("milliseconds", reference().split("\n## ")[0])  # the unit of every ts

    def test_functions_are_pure_and_harmless(self):
        """All but what writes: deterministic and innocuous, so that indexes, CHECKs and views may use them in an untrusted schema."""
        rows = self.db.execute("SELECT name, flags FROM pragma_function_list WHERE builtin = 0").fetchall()
        told = self.documented()
        deterministic, innocuous = 0x800, 0x200000
        both = deterministic | innocuous
        self.assertEqual([name for name, flags in rows if name in told and flags & both != both], [])
