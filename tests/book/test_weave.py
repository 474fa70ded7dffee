#!/usr/bin/env python3
"""Tests of book/weave: tiny books in a temporary folder, broken on purpose.

Each rule has a green case and a red one. A red case says which file and line the
message must name, so that a rule which fires for the wrong reason is caught too.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

WEAVE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../book/weave")
sys.path.insert(0, os.path.dirname(os.path.realpath(WEAVE)))
sys.dont_write_bytecode = True

from weaving import transcripts

SOURCE = "chapters/01-a/a.c"
CODE = """\
#include <stdio.h>

int main(void)
{
    /* [greet] */
    if (1)
        puts("hello");
    /* [/greet] */
}
"""
GREET = "```c {src=chapters/01-a/a.c region=greet}\n"
CAPTION = "*[chapters/01-a/a.c](../chapters/01-a/a.c#L6-L7), lines 6–7*\n"
QUOTE = CAPTION + GREET + 'if (1)\n    puts("hello");\n```\n'

PALETTE = "svg.figure { color: #222 }"
FIGURE = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" class="figure">
<title>A box</title>
<desc>A box with nothing in it.</desc>
<style>
{PALETTE}
</style>
<rect width="5" height="5" stroke="currentColor"/>
</svg>
"""


class Book(unittest.TestCase):
    """A repository of a few files, and what weave says of it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = folder.name
        self.write("book/a.md", "# A\n")

    def write(self, path, text):
        path = os.path.join(self.top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        with open(os.path.join(self.top, path), encoding="utf-8") as file:
            return file.read()

    def weave(self, *arguments, **environment):
        done = subprocess.run([sys.executable, WEAVE, "--top", self.top, *arguments],
                              env=dict(os.environ, **environment), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def green(self, count, *arguments, **environment):
        status, said = self.weave("--check", *arguments, **environment)
        self.assertEqual((status, said), (0, f"{count} passed, 0 failed, 0 skipped\n"))

    def red(self, *expected, failed=None):
        """Every expected text begins or is part of one line; all lines are expected."""
        status, said = self.weave("--check")
        lines = said.splitlines()
        self.assertEqual(status, 1, said)
        self.assertIn(f", {failed or len(expected)} failed, ", lines[-1])
        for text in expected:
            self.assertTrue(any(text in line for line in lines[:-1]), f"{text}\n{said}")
        self.assertEqual(len(lines) - 1, len(expected), said)


class Quotations(Book):
    def setUp(self):
        super().setUp()
        self.write(SOURCE, CODE)
        self.write("book/a.md", "# A\n\n" + QUOTE)

    def test_a_true_quotation_passes(self):
        self.green(2)

    def test_a_changed_source_is_seen(self):
        self.write(SOURCE, CODE.replace("hello", "world"))
        self.red("book/a.md:4: the block is not what chapters/01-a/a.c holds; run")

    def test_a_source_that_only_moved_is_seen(self):
        self.write(SOURCE, "\n" + CODE)
        self.red("book/a.md:4: the block is not what")

    def test_a_changed_page_is_seen(self):
        self.write("book/a.md", "# A\n\n" + QUOTE.replace("hello", "hullo"))
        self.red("book/a.md:4: the block is not what")

    def test_a_blank_at_the_end_of_a_line_is_seen(self):
        self.write("book/a.md", "# A\n\n" + QUOTE.replace("(1)\n", "(1) \n"))
        self.red("book/a.md:4: the block is not what")

    def test_check_changes_no_file(self):
        page = "# A\n\n" + QUOTE.replace("hello", "hullo")
        self.write("book/a.md", page)
        self.weave("--check")
        self.assertEqual(self.read("book/a.md"), page)

    def test_write_fills_an_empty_block_and_adds_the_caption(self):
        self.write("book/a.md", "# A\n\n" + GREET + "```\nend\n")
        status, _ = self.weave("--write")
        self.assertEqual(status, 0)
        self.assertEqual(self.read("book/a.md"), "# A\n\n" + QUOTE + "end\n")
        self.green(2)

    def test_write_replaces_a_stale_caption(self):
        self.write(SOURCE, "\n" + CODE)
        self.weave("--write")
        self.assertEqual(self.read("book/a.md"), "# A\n\n" +
                         QUOTE.replace("6", "7", 1).replace("L7-L7", "L7-L8")
                         .replace("6–7", "7–8"))
        self.green(2)

    def test_write_keeps_the_caption_out_of_the_paragraph_above(self):
        self.write("book/a.md", "Text.\n" + GREET + "```\n")
        self.weave("--write")
        self.assertEqual(self.read("book/a.md"), "Text.\n\n" + QUOTE)

    def test_write_changes_only_what_is_stale(self):
        self.assertEqual(self.weave("--write"), (0, "2 passed, 0 failed, 0 skipped\n"))

    def test_write_fills_two_blocks_of_a_page(self):
        self.write("book/a.md", GREET + "```\nand\n" + GREET + "```\n")
        self.weave("--write")
        self.assertEqual(self.read("book/a.md"), QUOTE + "and\n\n" + QUOTE)

    def test_write_still_reports_what_it_cannot_mend(self):
        self.write("book/a.md", GREET.replace("greet", "gone") + "```\n")
        status, said = self.weave("--write")
        self.assertEqual(status, 1)
        self.assertIn("book/a.md:1: chapters/01-a/a.c has no region [gone]", said)

    def test_a_missing_file_is_refused(self):
        self.write("book/a.md", QUOTE + GREET.replace("a.c", "b.c") + "```\n")
        self.red("book/a.md:6: no source chapters/01-a/b.c")

    def test_a_file_outside_the_sources_is_refused(self):
        self.write("x.c", "int x;\n")
        self.write("book/a.md", QUOTE + "```c {src=x.c}\n```\n"
                   "```c {src=../x.c}\n```\n```c {src=/etc/x.c}\n```\n")
        self.red("book/a.md:6: no source x.c", "book/a.md:8: no source ../x.c",
                 "book/a.md:10: no source /etc/x.c")

    def test_a_missing_region_is_refused(self):
        self.write("book/a.md", QUOTE + GREET.replace("greet", "gone") + "```\n")
        self.red("book/a.md:6: chapters/01-a/a.c has no region [gone]")

    def test_the_wrong_language_is_refused(self):
        self.write("book/a.md", QUOTE.replace("```c", "```nasm"))
        self.red("book/a.md:2: chapters/01-a/a.c is not nasm")

    def test_a_caption_without_a_block_is_refused(self):
        self.write("book/a.md", QUOTE + "\n" + CAPTION + "\ntext\n")
        self.red("book/a.md:7: a caption without its block")

    def test_a_whole_file_is_quoted_without_its_markers(self):
        self.write("book/a.md", QUOTE + "\n```c {src=chapters/01-a/a.c}\n```\n")
        self.weave("--write")
        shown = self.read("book/a.md")
        self.assertIn("#L1-L9), lines 1–9*", shown)
        self.assertNotIn("[greet]", shown)

    def test_code_that_holds_a_fence_needs_a_longer_one(self):
        self.write(SOURCE, "/* [greet] */\n/*\n```\n*/\n/* [/greet] */\n")
        self.write("book/a.md", GREET + "```\n")
        self.red("book/a.md:1: the code holds ```")
        self.write("book/a.md", "`" + GREET + "````\n")
        self.weave("--write")
        self.green(2)

    def test_one_line_has_a_caption_in_the_singular(self):
        self.write(SOURCE, "/* [greet] */\nint x;\n/* [/greet] */\n")
        self.weave("--write")
        self.assertIn("*[chapters/01-a/a.c](../chapters/01-a/a.c#L2), line 2*\n",
                      self.read("book/a.md"))
        self.green(2)


class Regions(Book):
    def pages_quote(self, *names):
        self.write("book/a.md", "\n".join(GREET.replace("greet", n) + "```" for n in names))
        self.weave("--write")

    def test_every_comment_style_is_read(self):
        tail = "{src=chapters/%s region=x-1}\n```\n"
        styles = {"a.c": ("c", "/* [%sx-1] */"), "a.h": ("c", "    /* [%sx-1] */"),
                  "a.asm": ("nasm", "; [%sx-1]"), "a.inc": ("nasm", "\t; [%sx-1]"),
                  "Makefile": ("make", "# [%sx-1]"), "a.mk": ("make", "# [%sx-1]"),
                  "a.sh": ("sh", "# [%sx-1]"), "a.py": ("python", "    # [%sx-1]")}
        page = ""
        for name, (language, marker) in styles.items():
            self.write(f"chapters/{name}", f"one\n{marker % ''}\ntwo\n{marker % '/'}\n")
            page += f"```{language} " + tail % name
        self.write("book/a.md", page)
        self.weave("--write")
        self.green(16)
        self.assertEqual(self.read("book/a.md").count("two"), 8)

    def test_a_script_without_a_suffix_is_known_by_its_first_line(self):
        self.write("tests/lab/run", "#!/bin/sh\n# [go]\necho\n# [/go]\n")
        self.write("book/a.md", "```sh {src=tests/lab/run region=go}\n```\n")
        self.weave("--write")
        self.green(2)

    def test_a_file_without_suffix_that_is_no_script_is_not_a_source(self):
        self.write("chapters/NOTES", "# [go]\n")
        self.green(0)

    def test_the_makefile_at_the_top_is_a_source(self):
        self.write("Makefile", "# [all]\nall:\n# [/all]\n")
        self.red("Makefile:1: no page quotes region [all]")

    def test_a_region_without_a_reader_is_refused(self):
        self.write(SOURCE, CODE)
        self.red("chapters/01-a/a.c:5: no page quotes region [greet]")

    def test_regions_in_common_and_tests_count_too(self):
        self.write("common/b.c", CODE)
        self.write("tests/c.c", CODE)
        self.red("common/b.c:5: no page quotes", "tests/c.c:5: no page quotes")

    def test_regions_nest(self):
        self.write(SOURCE, "/* [a] */\n1\n/* [b] */\n2\n/* [/b] */\n3\n/* [/a] */\n")
        self.pages_quote("a", "b")
        self.green(4)
        self.assertIn("1\n2\n3\n```", self.read("book/a.md"))
        self.assertIn("lines 2–6", self.read("book/a.md"))

    def test_regions_do_not_cross(self):
        self.write(SOURCE, "/* [a] */\n1\n/* [b] */\n2\n/* [/a] */\n3\n/* [/b] */\n")
        self.pages_quote("b")
        self.red("chapters/01-a/a.c:5: region [a] crosses [b]")

    def test_an_unclosed_region_is_refused(self):
        self.write(SOURCE, "/* [a] */\n1\n")
        self.red("chapters/01-a/a.c:1: region [a] is never closed")

    def test_a_region_closed_twice_is_refused(self):
        self.write(SOURCE, "1\n/* [/a] */\n")
        self.red("chapters/01-a/a.c:2: region [a] is closed but not open")

    def test_a_name_used_twice_is_refused(self):
        self.write(SOURCE, "/* [a] */\n1\n/* [/a] */\n" * 2)
        self.red("chapters/01-a/a.c:4: region [a] is here a second time (first on line 1)")

    def test_an_empty_region_is_refused(self):
        self.write(SOURCE, "/* [a] */\n\n/* [/a] */\n")
        self.red("chapters/01-a/a.c:1: region [a] is empty")

    def test_a_region_may_hold_another_and_nothing_else(self):
        self.write(SOURCE, "/* [a] */\n/* [b] */\n1\n/* [/b] */\n/* [/a] */\n")
        self.pages_quote("a", "b")
        self.green(4)

    def test_a_broken_region_is_not_quoted(self):
        self.write(SOURCE, "/* [a] */\n1\n")
        self.write("book/a.md", GREET.replace("greet", "a") + "```\n")
        self.red("chapters/01-a/a.c:1: region [a] is never closed",
                 "book/a.md:1: region [a] of chapters/01-a/a.c is broken")

    def test_almost_a_marker_is_refused(self):
        near = ["/*[open]*/", "/* [Open] */", "/* [ open ] */", "/* [open_it] */",
                "/* [/Open] */"]
        self.write(SOURCE, "\n".join(near) + "\n")
        self.red(*(f"chapters/01-a/a.c:{n}: {m} is almost a region marker"
                   for n, m in enumerate(near, 1)))

    def test_ordinary_comments_are_not_markers(self):
        self.write(SOURCE, "int a[2] = { /* [one] */ 1 };\nx /* [two] */\n"
                   '/* [SDM3] */\n/* [SDM3, 4.5 "Paging"] */\n// [three]\n'
                   "/* [four] five */\nchar *s = \"[six]\";\n")
        self.write("chapters/b.asm", "mov eax, [ebx] ; [seven]\n[bits 16]\n")
        self.write("chapters/c.sh", "[ -e x ] # [eight]\n")
        self.write("chapters/data.bin", "/* [a] */\n")
        self.green(0)

    def test_blank_edges_are_not_quoted(self):
        self.write(SOURCE, "/* [a] */\n\n  1\n\n    2\n\n/* [/a] */\n")
        self.pages_quote("a")
        self.assertIn("lines 3–5*\n" + GREET.replace("greet", "a") + "1\n\n  2\n```",
                      self.read("book/a.md"))

    def test_a_source_that_is_not_utf8_is_refused(self):
        self.write(SOURCE, "")
        with open(os.path.join(self.top, SOURCE), "wb") as file:
            file.write(b"\xff\n")
        self.red("chapters/01-a/a.c:1: not UTF-8")

    def test_one_page_alone_skips_the_rules_of_the_whole_book(self):
        self.write(SOURCE, CODE)
        self.green(0, os.path.join(self.top, "book/a.md"))


class Fences(Book):
    def refused(self, block, text, line=1):
        self.write("book/a.md", block + "\n```\n")
        self.red(f"book/a.md:{line}: {text}")

    def test_free_and_sketch_blocks_pass(self):
        self.write("book/a.md", "```text\nx\n```\n```sh\nmake\n```\n"
                   "```c {kind=sketch}\nx\n```\n```console {kind=sketch}\n$ x\n```\n")
        self.green(4)

    def test_code_without_a_source_is_refused(self):
        for language in ("c", "nasm", "asm", "make", "python"):
            self.refused(f"```{language}", f"this {language} block is not checked")

    def test_a_transcript_without_a_command_is_refused(self):
        self.refused("```console", "this console block is not checked")
        self.refused("```console {status=1}", "this console block is not checked")

    def test_a_region_without_a_source_is_refused(self):
        self.refused("```c {region=a}", "this c block is not checked")
        self.refused("```text {region=a}", "this text block is not checked")

    def test_an_unknown_or_missing_language_is_refused(self):
        self.refused("```", "fence says ''")
        self.refused("```perl", "unknown language 'perl'")
        self.refused("```C", "fence says 'C'")

    def test_an_unknown_attribute_is_refused(self):
        self.refused("```text {source=x}", "unknown attribute source=")

    def test_a_fence_that_cannot_be_read_is_refused(self):
        self.refused("```text {kind = sketch}", "cannot read 'kind = sketch'")
        self.refused("```text { kind=sketch", "fence says")
        self.refused("```text kind=sketch", "fence says")

    def test_an_attribute_given_twice_is_refused(self):
        self.refused("```c {kind=sketch kind=sketch}", "kind= stands twice")

    def test_an_unknown_kind_is_refused(self):
        self.refused("```c {kind=joke}", "kind=joke is unknown")

    def test_a_sketch_takes_no_source(self):
        self.refused("```c {kind=sketch src=a}", "kind=sketch stands alone")

    def test_code_takes_no_command(self):
        self.refused('```c {run="true"}', "a c block takes no run=")
        self.refused("```console {src=a}", "a console block takes no src=")

    def test_an_unclosed_block_is_refused(self):
        self.write("book/a.md", "\n```text\nx\n")
        self.red("book/a.md:2: this block is never closed")

    def test_a_fence_that_weave_would_not_see_is_refused(self):
        self.write("book/a.md", "- item\n  ```c\n")
        self.red("book/a.md:2: a fence that is indented")
        self.write("book/a.md", "~~~c\n")
        self.red("book/a.md:1: a fence that is indented or made of ~~~")

    def test_a_longer_fence_may_show_a_shorter_one(self):
        self.write("book/a.md", "````text\n```c\n```\n````\n")
        self.green(1)

    def test_all_problems_are_listed(self):
        self.write("book/a.md", "```c\n```\n```nasm\n```\n")
        self.write("book/b.md", "```\n```\n")
        self.red("book/a.md:1:", "book/a.md:3:", "book/b.md:1:")


class Transcripts(Book):
    def shows(self, attributes, *lines):
        self.write("book/a.md", "\n".join(["```console {%s}" % attributes, *lines, "```\n"]))

    def test_true_output_passes(self):
        self.shows('run="echo hello"', "$ echo hello", "hello")
        self.green(1)

    def test_other_output_is_refused(self):
        self.shows('run="echo hello"', "$ echo hello", "hullo")
        self.red("book/a.md:1: $ echo hello: the page shows 'hullo', "
                 "the command prints 'hello'; run")

    def test_missing_and_surplus_output_is_refused(self):
        self.shows('run="echo a; echo b"', "$ echo a; echo b", "a")
        self.red("the page shows '(nothing)', the command prints 'b'")
        self.shows('run="echo a"', "$ echo a", "a", "b")
        self.red("the page shows 'b', the command prints '(nothing)'")

    def test_the_page_shows_the_command_that_ran(self):
        self.shows('run="echo hello"', "$ echo  hello", "hello")
        self.red("the page shows '$ echo  hello', the command prints '$ echo hello'")

    def test_single_quotes_hold_a_command_with_double_ones(self):
        self.shows("""run='echo "a  b"'""", '$ echo "a  b"', "a  b")
        self.green(1)

    def test_it_runs_at_the_top_with_stderr_and_without_stdin(self):
        self.write("book/x", "")
        self.shows('run="ls -d book >&2; cat"', "$ ls -d book >&2; cat", "book")
        self.green(1)

    def test_write_refreshes_output(self):
        self.shows('run="echo hello"')
        self.assertEqual(self.weave("--write")[0], 0)
        self.assertIn("\n$ echo hello\nhello\n```\n", self.read("book/a.md"))
        self.green(1)

    def test_write_keeps_output_that_differs_only_under_a_mask(self):
        self.shows('run="echo 7 ms" mask=time', "$ echo 7 ms", "12 ms")
        page = self.read("book/a.md")
        self.weave("--write")
        self.assertEqual(self.read("book/a.md"), page)

    def test_write_leaves_a_shortened_transcript_alone(self):
        self.shows('run="seq 9"', "$ seq 9", "1", "...", "8")
        page = self.read("book/a.md")
        status, said = self.weave("--write")
        self.assertEqual((status, self.read("book/a.md")), (1, page))
        self.assertIn("the page shows '8', the command prints '9'; shorten", said)

    def test_the_exit_status_counts(self):
        self.shows('run="echo no; exit 3"', "$ echo no; exit 3", "no")
        self.red("exits with 3 and says 'no', expected status 0")
        self.shows('run="echo no; exit 3" status=3', "$ echo no; exit 3", "no")
        self.green(1)
        self.shows('run="echo no" status=3', "$ echo no", "no")
        self.red("exits with 0")

    def test_output_that_holds_a_fence_needs_a_longer_one(self):
        self.shows('run="printf \'\\140\\140\\140\\n\'"')
        status, said = self.weave("--write")
        self.assertEqual(status, 1)
        self.assertIn("prints ```; open and close the block with more", said)

    def test_a_signal_is_a_status_as_in_a_shell(self):
        self.shows("run='kill -SEGV $$' status=139", "$ kill -SEGV $$")
        self.green(1)

    def test_write_does_not_record_a_failed_command(self):
        self.shows('run="build/gone"')
        page = self.read("book/a.md")
        self.assertEqual(self.weave("--write")[0], 1)
        self.assertEqual(self.read("book/a.md"), page)

    def test_dots_stand_for_any_lines(self):
        for shown in (["...", "9"], ["1", "..."], ["1", "...", "5", "6", "...", "9"],
                      ["1", "2", "...", "3", "...", "8", "9"], ["..."]):
            self.shows('run="seq 9"', "$ seq 9", *shown)
            self.green(1)

    def test_dots_hide_no_wrong_line(self):
        for shown in (["...", "8"], ["2", "..."], ["1", "...", "6", "5", "...", "9"],
                      ["...", "5", "...", "4", "...", "9"], ["1", "...", "x", "...", "9"],
                      ["1", "2", "3", "...", "2", "3", "4", "5", "6", "7", "8", "9"]):
            self.shows('run="seq 9"', "$ seq 9", *shown)
            self.red("book/a.md:1: $ seq 9: the page shows")

    def test_masks_hide_their_kind_of_number(self):
        for mask, shown, printed in (
                ("time", "took 12 ms", "took 3.5 s"), ("time", "[    0.000000] x",
                "[   12.345678] x"), ("time", "at 10:42", "at 11:43:01"),
                ("hex", "rip 0x1000", "rip 0xfff0"), ("hex", "00000000deadbeef", "12345678"),
                ("version", "Linux 6.1.0-40-amd64 x", "Linux 5.10.2 x"),
                ("version", "v1.2", "v3.4.5"), ("number", "a   12 b", "a 1,024 b"),
                ("number", "x=1.5", "x=22")):
            self.shows(f'run="echo \'{printed}\'" mask={mask}', f"$ echo '{printed}'", shown)
            self.green(1)

    def test_masks_hide_nothing_else(self):
        for mask, shown, printed in (
                ("time", "12 ms 4", "12 ms 5"), ("hex", "0x1 12", "0x1 13"),
                ("version", "1.2 7", "1.2 8"), ("number", "1 x2y", "1 x3y"),
                ("number", "5 1.2x", "5 1.3x"), ("time", "a 1 ms", "b 1 ms")):
            self.shows(f'run="echo \'{printed}\'" mask={mask}', f"$ echo '{printed}'", shown)
            self.red("book/a.md:1: $ echo")

    def test_several_masks_work_together(self):
        self.shows('run="echo 0x2 in 9 us" mask=hex,time', "$ echo 0x2 in 9 us", "0x1 in 8 us")
        self.green(1)

    def test_an_idle_mask_is_refused(self):
        self.shows('run="echo 1" mask=hex', "$ echo 1", "1")
        self.red("mask=hex hides nothing here")
        self.shows('run="echo 1 ms" mask=number,time', "$ echo 1 ms", "1 ms")
        self.red("mask=number hides nothing here")

    def test_unknown_masks_needs_and_status_are_refused(self):
        self.shows("run=true mask=all needs=luck status=bad", "$ true")
        self.red("unknown mask 'all'", "unknown needs=luck", "status=bad", failed=1)

    def test_an_unmet_need_is_a_counted_skip(self):
        self.shows("run=true needs=tool:no-such-tool", "$ true")
        self.assertEqual(self.weave("--check"), (0,
            "SKIP book/a.md:1: $ true: no-such-tool is not installed\n"
            "0 passed, 0 failed, 1 skipped\n"))

    def test_a_need_that_is_met_runs(self):
        self.shows('run="echo a" needs=tool:sh', "$ echo a", "b")
        self.red("the page shows 'b'")

    def test_what_one_linux_does_is_not_asked_of_another(self):
        self.write("build/kernels/cloud/release", "6.12.9-cloud-amd64\n")
        self.shows("run=true needs=linux:6.1", "$ true")
        self.assertEqual(self.weave("--check"), (0, "SKIP book/a.md:1: $ true: the page shows "
            "Linux 6.1, and this system's is 6.12.9-cloud-amd64\n"
            "0 passed, 0 failed, 1 skipped\n"))
        for release, need in (("6.1.0-56-cloud-amd64", "linux:6.1"), (None, "linux:6.1")):
            top = self.top if release else "/nowhere"
            self.write("build/kernels/cloud/release", f"{release}\n")
            self.assertIsNone(transcripts.another_kernel(top, "6.1"))
        self.shows("run=true needs=linux:old", "$ true")
        self.red("unknown needs=linux:old")

    def test_without_a_lab_kvm_is_skipped_aloud(self):
        for need in ("kvm", "linux"):
            self.shows(f"run=true needs={need}", "$ true")
            status, said = self.weave("--check", KVM="lab")
            self.assertEqual((status, said), (0, "SKIP book/a.md:1: $ true: KVM=lab is set; "
                             "no tests/lab/run\n0 passed, 0 failed, 1 skipped\n"))

    def test_the_lab_runs_what_the_host_cannot(self):
        self.write("tests/lab/run", '#!/bin/sh\nshift\necho "lab: $*"\n')
        self.write("bin/qemu-system-x86_64", "#!/bin/sh\n")
        for path in ("tests/lab/run", "bin/qemu-system-x86_64"):
            os.chmod(os.path.join(self.top, path), 0o755)
        self.shows("run=true needs=linux", "$ true", "lab: sh -c true")
        self.green(1, KVM="lab", PATH=f"{self.top}/bin:{os.environ['PATH']}")

    def test_no_run_skips_commands(self):
        self.shows("run=false", "$ true")
        self.assertEqual(self.weave("--check", "--no-run"), (0,
            "SKIP book/a.md:1: commands are not run under --no-run\n"
            "0 passed, 0 failed, 1 skipped\n"))


class Places(unittest.TestCase):
    """Where a command runs, for each machine there is."""

    def place(self, need, kvm=None, flags="fpu", lab=None, **environment):
        cpuinfo = mock.mock_open(read_data=f"model : x\nflags\t\t: {flags}\n")
        with mock.patch.object(transcripts, "kvm_works", return_value=kvm), \
                mock.patch.object(transcripts, "lab_refuses", return_value=lab), \
                mock.patch("builtins.open", cpuinfo), \
                mock.patch.dict(os.environ, environment):
            os.environ.setdefault("KVM", "")
            return transcripts.place("/", need)

    def test_without_a_need_it_is_the_host(self):
        self.assertEqual(self.place(None, kvm="no /dev/kvm", KVM="lab"), ("host", None))

    def test_hardware_kvm_runs_everything(self):
        for flags in ("fpu vmx sse", "svm"):
            for need in ("kvm", "linux"):
                self.assertEqual(self.place(need, flags=flags), ("host", None))

    def test_software_kvm_runs_chapters_and_leaves_linux_to_the_lab(self):
        self.assertEqual(self.place("kvm"), ("host", None))
        self.assertEqual(self.place("linux"), ("lab", None))
        self.assertEqual(self.place("linux", flags="vmxx"), ("lab", None))
        where, reason = self.place("linux", lab="no lab")
        self.assertIsNone(where)
        self.assertEqual(reason, "KVM is software here: no vmx or svm in /proc/cpuinfo; no lab")

    def test_without_kvm_it_is_the_lab(self):
        self.assertEqual(self.place("kvm", kvm="no /dev/kvm"), ("lab", None))
        self.assertEqual(self.place("kvm", kvm="no /dev/kvm", lab="no lab"),
                         (None, "no /dev/kvm; no lab"))

    def test_the_user_decides_by_KVM(self):
        self.assertEqual(self.place("kvm", KVM="lab"), ("lab", None))
        with mock.patch.dict(os.environ, KVM="host"):
            self.assertEqual(transcripts.lab_refuses("/"), "KVM=host is set")

    def test_a_lab_needs_its_script_and_qemu(self):
        with mock.patch.dict(os.environ, KVM=""), mock.patch("os.access", return_value=True):
            for qemu, reason in (("/bin/q", None), (None, "no qemu-system-x86_64 for the lab")):
                with mock.patch("shutil.which", return_value=qemu):
                    self.assertEqual(transcripts.lab_refuses("/"), reason)

    def test_a_device_of_another_version_is_no_kvm(self):
        with mock.patch("os.open", return_value=9), mock.patch("os.close"), \
                mock.patch("fcntl.ioctl", return_value=11):
            self.assertIn("API version 12", transcripts.kvm_works())

    def test_a_device_that_creates_no_vm_is_no_kvm(self):
        with mock.patch("os.open", return_value=9), mock.patch("os.close") as close, \
                mock.patch("fcntl.ioctl", side_effect=[12, OSError(16, "busy")]):
            self.assertEqual(transcripts.kvm_works(), "/dev/kvm cannot create a VM: busy")
            close.assert_called_once_with(9)


class Links(Book):
    def page(self, text):
        self.write("book/a.md", text)

    def test_links_that_lead_somewhere_pass(self):
        self.write("common/x", "")
        self.write("book/b.md", "# One `two` (three)\n\n## Four\n\n## Four\n")
        self.page("# A\n[a](b.md) [b](b.md#one-two-three) [c](b.md#four-1) [d](#a)\n"
                  "[e](../common/x) [f](https://example.org/) [two\nlines](b.md)\n"
                  "`[not](a-link)` ``[no`r](this)``\n")
        self.green(7)

    def test_dead_links_are_refused(self):
        self.write("book/b.md", "# B\n\n```text\n# no\n```\n")
        self.page("[a](c.md)\n[b](b.md#c)\n[c](#d)\n[d](b.md#no)\n")
        self.red("book/a.md:1: the link to book/c.md leads nowhere",
                 "book/a.md:2: book/b.md has no heading #c",
                 "book/a.md:3: book/a.md has no heading #d",
                 "book/a.md:4: book/b.md has no heading #no")

    def test_citations_with_an_entry_pass(self):
        self.write("book/references.md", "- **[SDM3]** Intel.\n* **[KVM-API]** Linux.\n")
        self.page('See [SDM3], [KVM-API, 4.35 "KVM_SET_\nUSER"], [PG74](#x) and `[X1]`.\n# X\n')
        self.green(7)

    def test_a_citation_without_an_entry_is_refused(self):
        self.write("book/references.md", "- **[SDM3]** Intel.\n")
        self.page("text\n[SDM9]\n")
        self.red("book/a.md:2: [SDM9] is not in book/references.md")

    def test_a_section_without_its_title_is_refused(self):
        self.write("book/references.md", "- **[SDM3]** Intel.\n")
        self.page("[SDM3, 4.5]\n")
        self.red("book/a.md:1: [SDM3, 4.5] names no section title")

    def test_an_entry_given_twice_is_refused(self):
        self.write("book/references.md", "- **[SDM3]** Intel.\n- **[SDM3]** Intel.\n")
        self.red("book/references.md:2: [SDM3] has two entries")


class Names(Book):
    def setUp(self):
        super().setUp()
        self.write("tests/01-a/test_a.c", "START_TEST(a_name_of_five_words)\n")

    def test_a_name_that_a_source_has_passes(self):
        self.write("book/a.md", "`a_name_of_five_words`, `a_short_one`\n")
        self.green(1)

    def test_a_test_that_is_not_there_is_refused(self):
        self.write("book/a.md", "# A\n\nSee `a_name_of_five_birds`.\n")
        self.red("book/a.md:3: no source has a_name_of_five_birds")


class Figures(Book):
    def setUp(self):
        super().setUp()
        self.write("book/figures/figure.css", PALETTE + "\n")
        self.write("book/figures/a.svg", FIGURE)
        self.write("book/a.md", "![A box](figures/a.svg)\n")

    def broken(self, old, new, text):
        self.assertIn(old, FIGURE)
        self.write("book/figures/a.svg", FIGURE.replace(old, new))
        self.red(text)

    def test_a_good_figure_passes(self):
        self.green(2)

    def test_a_missing_figure_is_refused(self):
        self.write("book/a.md", "![A box](figures/a.svg)\n\n![B](figures/b.svg)\n")
        self.red("book/a.md:3: no figure book/figures/b.svg")

    def test_a_picture_from_elsewhere_is_refused(self):
        self.write("book/a.md", "![A box](figures/a.svg)\n![B](https://example.org/b.svg)\n"
                   "![C](c.png)\n")
        self.red("book/a.md:2: the book shows no picture from elsewhere",
                 "book/a.md:3: c.png is not an SVG in book/figures")

    def test_an_image_without_text_is_refused(self):
        self.write("book/a.md", "![](figures/a.svg)\n")
        self.red("book/a.md:1: figures/a.svg has no text in its brackets")

    def test_an_orphan_is_refused(self):
        self.write("book/a.md", "# A\n")
        self.red("book/figures/a.svg:1: no page shows this figure")

    def test_a_figure_without_title_desc_viewbox_or_colour_is_refused(self):
        self.broken("title>", "metadata>", "book/figures/a.svg:1: no <title>")
        self.broken("desc>", "metadata>", "book/figures/a.svg:1: no <desc>")
        self.broken("A box with nothing in it.", " ", "no <desc>")
        self.broken("viewBox", "box", "no <svg> with a viewBox")
        self.broken("currentColor", "black", "currentColor is not used")

    def test_scripts_and_bitmaps_are_refused(self):
        for name in ("script", "image", "foreignObject"):
            self.broken("<rect", f"<{name}/><rect", f"<{name}> does not belong")

    def test_broken_xml_is_refused(self):
        self.broken("</svg>", "", "not well-formed XML")

    def test_another_palette_is_refused_and_write_mends_it(self):
        self.broken("#222", "#333", "its first <style> is not book/figures/figure.css")
        self.weave("--write")
        self.assertEqual(self.read("book/figures/a.svg"), FIGURE)

    def test_a_figure_without_style_is_refused(self):
        self.broken(f"<style>\n{PALETTE}\n</style>", "", "no <style>")


class CommandLine(Book):
    def test_a_page_that_is_none_is_refused(self):
        status, said = self.weave("--check", "book/none.md")
        self.assertEqual(status, 1)
        self.assertIn("not a page of the book", said)

    def test_a_folder_without_pages_is_refused(self):
        os.remove(os.path.join(self.top, "book/a.md"))
        status, said = self.weave("--check")
        self.assertEqual(status, 1)
        self.assertIn("no pages found", said)

    def test_a_page_that_is_not_utf8_is_refused(self):
        with open(os.path.join(self.top, "book/a.md"), "wb") as file:
            file.write(b"\xff\n")
        self.red("book/a.md:1: not UTF-8")

    def test_it_leaves_nothing_behind(self):
        self.write(SOURCE, CODE)
        self.weave("--check")
        found = sorted(f for _, _, files in os.walk(self.top) for f in files)
        self.assertEqual(found, ["a.c", "a.md"])


def main():
    result = unittest.TextTestRunner(stream=sys.stdout).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
