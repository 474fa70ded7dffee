"""A page of the book, split into fenced blocks and prose.

A block opens with three or more backquotes at the left margin, a language, and
attributes in braces:

    ```c {src=chapters/01-kvm-hello/raw.c region=open}

Nothing is guessed: a fence that these rules do not cover is a problem.
"""

import os
import re
from dataclasses import dataclass, field

from .report import Problem

QUOTED = ("c", "nasm", "asm", "make", "python")  # quote a source, or say kind=sketch
FREE = ("text", "sh", "diff", "json")            # may stand bare, may quote a source
CONSOLE = "console"                              # run a command, or say kind=sketch
KEYS = ("src", "region", "kind", "run", "mask", "needs", "status")

OPEN = re.compile(r"(`{3,})(.*)$")
INFO = re.compile(r"([a-z]+)(?: \{(.*)\})?$")
ATTRIBUTE = re.compile(r"""\s*([a-z]+)=(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?=\s|$)""")
CAPTION = re.compile(r"\*\[[^\]]+\]\([^)]+#L\d+(?:-L\d+)?\), (?:line \d+|lines \d+–\d+)\*$")


@dataclass
class Fence:
    """A block: its opening line is lines[start], its closing one lines[end]."""
    start: int
    end: int
    ticks: str
    language: str
    attributes: dict
    problems: list


@dataclass
class Page:
    path: str
    lines: list
    fences: list = field(default_factory=list)
    problems: list = field(default_factory=list)

    def body(self, fence):
        return self.lines[fence.start + 1:fence.end]

    def text(self):
        """The page without blocks and captions; line numbers stay true."""
        lines = ["" if CAPTION.match(line) else line for line in self.lines]
        for fence in self.fences:
            for index in range(fence.start, min(fence.end + 1, len(lines))):
                lines[index] = ""
        return "\n".join(lines)

    def prose(self):
        """The text without code spans."""
        span = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.S)
        return span.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), self.text())


def read_page(top, path):
    with open(os.path.join(top, path), encoding="utf-8") as file:
        page = Page(path, file.read().split("\n"))
    index = 0
    while index < len(page.lines):
        line = page.lines[index]
        if OPEN.match(line):
            index = read_fence(page, index).end
        elif re.match(r"\s+```|\s*~~~", line):
            page.problems.append(Problem(path, index + 1, "a fence that is indented or "
                "made of ~~~ is not checked; start it with ``` at the left margin"))
        index += 1
    return page


def read_fence(page, start):
    ticks, info = OPEN.match(page.lines[start]).groups()
    end = next((i for i in range(start + 1, len(page.lines))
                if re.match(rf"`{{{len(ticks)},}}\s*$", page.lines[i])), len(page.lines))
    problems = []

    def complain(text):
        problems.append(Problem(page.path, start + 1, text))

    if end == len(page.lines):
        complain(f"this block is never closed; end it with a line of {ticks}")
    language, attributes = parse_info(info.strip(), complain)
    fence = Fence(start, end, ticks, language, attributes, problems)
    page.fences.append(fence)
    return fence


def parse_info(info, complain):
    match = INFO.match(info)
    if not match:
        complain(f"fence says '{info}'; write a language, then a blank and "
                 "{key=value ...} if it has attributes")
        return "", {}
    language, attributes = match[1], parse_attributes(match[2], complain)
    check_attributes(language, attributes, complain)
    return language, attributes


def parse_attributes(text, complain):
    attributes, at = {}, 0
    text = (text or "").strip()
    while at < len(text):
        match = ATTRIBUTE.match(text, at)
        if not match:
            complain(f"cannot read '{text[at:].strip()}' in the fence; "
                     'write key=value or key="a value with blanks"')
            break
        key, value = match[1], next(g for g in match.groups()[1:] if g is not None)
        if key in attributes:
            complain(f"{key}= stands twice in the fence; remove one")
        attributes[key] = value
        at = match.end()
    return attributes


def check_attributes(language, attributes, complain):
    """Which attributes may stand together; see book/weave --help."""
    unknown = [key for key in attributes if key not in KEYS]
    if unknown:
        complain(f"unknown attribute {unknown[0]}=; use one of {', '.join(KEYS)}")
        return
    if language not in QUOTED + FREE + (CONSOLE,):
        complain(f"unknown language '{language}'; use one of "
                 f"{', '.join(QUOTED + FREE + (CONSOLE,))}")
        return
    own = {"run", "mask", "needs", "status"} if language == CONSOLE else {"src", "region"}
    main = "run" if language == CONSOLE else "src"
    wrong = sorted(set(attributes) & set(KEYS) - own - {"kind"})
    if wrong:
        complain(f"a {language} block takes no {wrong[0]}=; remove it")
    elif "kind" in attributes:
        if attributes["kind"] != "sketch":
            complain(f"kind={attributes['kind']} is unknown; the only kind is kind=sketch")
        if len(attributes) > 1:
            complain("kind=sketch stands alone; remove it or the other attributes")
    elif main not in attributes and (attributes or language not in FREE):
        what = 'run="command"' if main == "run" else "src=FILE region=NAME"
        complain(f"this {language} block is not checked against anything; "
                 f"give it {what}, or kind=sketch")
