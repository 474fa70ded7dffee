"""Regions of source files that the book quotes.

A region lies between two markers, each alone on its line, in the comment style of
its language. The name is lower-case words and digits joined by hyphens, unique in
its file:

    C and headers           /* [open-kvm] */        /* [/open-kvm] */
    nasm                    ; [open-kvm]            ; [/open-kvm]
    make, shell, Python     # [open-kvm]            # [/open-kvm]

Regions may nest but not cross. Marker lines, inner ones too, are never shown.
"""

import os
import re
from dataclasses import dataclass, field

from .report import Problem

ROOTS = ("chapters", "common", "tests", "Makefile")

# suffix or file name -> (what opens a comment, what closes it, fence languages)
C_STYLE = ("/*", "*/", ("c",))
ASM_STYLE = (";", "", ("nasm", "asm"))
MAKE_STYLE = ("#", "", ("make",))
SHELL_STYLE = ("#", "", ("sh",))
PYTHON_STYLE = ("#", "", ("python",))
STYLES = {
    ".c": C_STYLE, ".h": C_STYLE,
    ".asm": ASM_STYLE, ".inc": ASM_STYLE,
    ".mk": MAKE_STYLE, "Makefile": MAKE_STYLE,
    ".sh": SHELL_STYLE, ".py": PYTHON_STYLE,
}

NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"


@dataclass
class Region:
    """Lines `first` to `last` of a file, counted from 1, without blank edges."""
    name: str
    marker: int
    first: int = 0
    last: int = 0
    lines: list = field(default_factory=list)


@dataclass
class Source:
    path: str
    languages: tuple
    whole: Region = None
    regions: dict = field(default_factory=dict)
    faulty: set = field(default_factory=set)
    problems: list = field(default_factory=list)  # one list per faulty marker


def style_of(top, path):
    """The comment style of a file, or None if the book cannot quote it."""
    base = os.path.basename(path)
    suffix = os.path.splitext(base)[1]
    if base in STYLES or suffix:
        return STYLES.get(base) or STYLES.get(suffix)
    with open(os.path.join(top, path), "rb") as file:
        start = file.readline(64)
    if not start.startswith(b"#!"):
        return None
    return PYTHON_STYLE if b"python" in start else SHELL_STYLE


def source_paths(top):
    for root in ROOTS:
        if os.path.isfile(os.path.join(top, root)):
            yield root
        for folder, folders, files in os.walk(os.path.join(top, root)):
            folders[:] = sorted(f for f in folders if f != "__pycache__")
            for name in sorted(files):
                yield os.path.relpath(os.path.join(folder, name), top)


def scan(top):
    """Read every source below `top` that can be quoted: {path: Source}."""
    sources = {}
    for path in source_paths(top):
        style = style_of(top, path)
        if style:
            sources[path] = read_source(top, path, style)
    return sources


def read_source(top, path, style):
    source = Source(path, style[2])
    try:
        with open(os.path.join(top, path), encoding="utf-8") as file:
            lines = file.read().split("\n")
    except UnicodeDecodeError:
        source.problems.append([Problem(path, 1, "not UTF-8; save it as UTF-8")])
        return source
    markers = find_markers(source, lines, style)
    pair_markers(source, lines, markers)
    source.whole = cut(Region("", 1), lines, 1, len(lines), {m[0] for m in markers})
    return source


def find_markers(source, lines, style):
    """All (line number, closes?, name); a near miss is a problem, never ignored."""
    opener, closer = re.escape(style[0]), re.escape(style[1])
    end = rf" {closer}" if closer else ""
    strict = re.compile(rf"\s*{opener} \[(/?)({NAME})\]{end}\s*$")
    near = re.compile(rf"\s*{opener}\s*\[\s*/?\s*(?=.*[a-z])[\w -]+\]\s*(?:{closer})\s*$")
    markers = []
    for number, line in enumerate(lines, 1):
        match = strict.match(line)
        if match:
            markers.append((number, bool(match[1]), match[2]))
        elif near.match(line):
            example = f"{style[0]} [lower-case-name] {style[1]}".strip()
            source.problems.append([Problem(source.path, number,
                f"{line.strip()} is almost a region marker; write it as {example}")])
    return markers


def pair_markers(source, lines, markers):
    hidden = {number for number, _, _ in markers}
    stack = []
    for number, closes, name in markers:
        if not closes:
            stack.append(Region(name, number))
        elif not any(r.name == name for r in stack):
            blame(source, name, number, f"region [{name}] is closed but not open; "
                  f"open it with [{name}] or remove this marker")
        else:
            region = next(r for r in reversed(stack) if r.name == name)
            if region is not stack[-1]:
                blame(source, name, number, f"region [{name}] crosses "
                      f"[{stack[-1].name}]; close the inner one first")
            stack.remove(region)
            keep(source, cut(region, lines, region.marker + 1, number - 1, hidden))
    for region in stack:
        blame(source, region.name, region.marker,
              f"region [{region.name}] is never closed; add [/{region.name}] after it")


def keep(source, region):
    name = region.name
    if name in source.regions:
        other = source.regions[name].marker
        blame(source, name, region.marker, f"region [{name}] is here a second time "
              f"(first on line {other}); give one of them another name")
    elif not region.lines:
        blame(source, name, region.marker,
              f"region [{name}] is empty; put code in it or remove its markers")
    else:
        source.regions[name] = region


def blame(source, name, line, text):
    source.faulty.add(name)
    source.problems.append([Problem(source.path, line, text)])


def cut(region, lines, first, last, hidden):
    """Fill a region with lines first..last, markers and blank edges left out."""
    shown = [n for n in range(first, last + 1) if n not in hidden]
    while shown and not lines[shown[0] - 1].strip():
        shown.pop(0)
    while shown and not lines[shown[-1] - 1].strip():
        shown.pop()
    if shown:
        region.first, region.last = shown[0], shown[-1]
        region.lines = dedent([lines[n - 1].rstrip() for n in shown])
    return region


def dedent(lines):
    """Remove the white space that all non-blank lines begin with."""
    edge = os.path.commonprefix([line for line in lines if line])
    width = len(edge) - len(edge.lstrip())
    return [line[width:] for line in lines]
