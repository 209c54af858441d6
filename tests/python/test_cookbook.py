# The cookbook is true: each recipe prints what its .out says, and each language's index lists every entry once and is up to date.
import os
import unittest

from . import cookbook, support


class Cookbook(support.TimeseriesCase):
    def languages(self):
        present = [n for n in cookbook.LANGUAGES if os.path.exists(os.path.join(cookbook.BOOK, n, "entries.txt"))]
        self.assertIn("promql", present)
        return present

    def test_every_recipe_prints_its_expected_output(self):
        db = cookbook.kitchen(self.path("archive"))
        self.addCleanup(db.close)
        for language in self.languages():
            for r in cookbook.recipes(language):
                with self.subTest("%s/%s.sql" % (language, r.name)):
                    expected = cookbook.read(os.path.join(cookbook.BOOK, language, r.name + ".out"))
                    self.assertGreater(len(expected.splitlines()), 1, "prints no row")
                    self.assertEqual(cookbook.cook(db, r.sql), expected)

    def test_every_entry_has_either_one_recipe_or_a_reason(self):
        for language in self.languages():
            names = [e.name for e in cookbook.entries(language)[1]]
            covered = [name for r in cookbook.recipes(language) for name in r.covers]
            self.assertEqual(sorted(set(names)), sorted(names), "listed twice")
            self.assertEqual(sorted(set(covered)), sorted(covered), "covered twice")
            self.assertEqual(set(covered) - set(names), set(), "covered but not listed")
            for e in cookbook.entries(language)[1]:
                self.assertNotEqual(e.name in covered, bool(e.reason), "%s: %s" % (language, e.name))

    def test_every_recipe_says_what_it_does_for_which_entries_and_query(self):
        for language in self.languages():
            for r in cookbook.recipes(language):
                with self.subTest("%s/%s.sql" % (language, r.name)):
                    self.assertTrue(r.notes and r.covers and r.query and r.sql)

    def test_pages_are_up_to_date(self):
        for language in self.languages():
            self.assertEqual(cookbook.read(cookbook.page_path(language)), cookbook.page(language),
                             "run python3 -m python.cookbook in tests/")

    def test_the_readme_has_a_row_of_up_to_date_counts_for_each_language(self):
        readme = cookbook.read(cookbook.README)
        for language, name in cookbook.LANGUAGES.items():
            self.assertEqual(readme.count("\n| [%s](docs/cookbook/%s.md) | " % (name, language)), 1)
        self.assertEqual(readme, cookbook.counted(readme), "run python3 -m python.cookbook in tests/")


if __name__ == "__main__":
    unittest.main()
