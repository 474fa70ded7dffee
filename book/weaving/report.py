"""What the weave says: problems, skips and the final count.

A problem is one line, `file:line: what is wrong; what to do`, so that an editor
can jump to it. All of them are printed, not the first alone.
"""

from collections import namedtuple

Problem = namedtuple("Problem", "path line text")


class Report:
    """Counts judged items; an item with one problem or ten has failed once."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.problems = []
        self.skips = []

    def judge(self, problems):
        """Record one item: it passed if the list of its problems is empty."""
        if problems:
            self.failed += 1
            self.problems += problems
        else:
            self.passed += 1

    def skip(self, path, line, reason):
        self.skipped += 1
        self.skips.append(Problem(path, line, reason))

    def print(self):
        """Print everything, the count last. Returns the exit status."""
        for skip in sorted(self.skips):
            print(f"SKIP {skip.path}:{skip.line}: {skip.text}")
        for problem in sorted(self.problems):
            print(f"{problem.path}:{problem.line}: {problem.text}")
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0
