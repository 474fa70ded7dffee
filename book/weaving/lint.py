"""Figures, links, citations and names of tests on a page.

A figure is an SVG written by hand in book/figures/. Pages show it as an image, and
an image does not inherit the colour of the page around it: so each figure carries
the palette of figures/figure.css as its first <style>, which `--write` keeps equal.

A citation is [KEY] or [KEY, number "Title of the section"]; KEY is an entry of
references.md: a list item that begins with **[KEY]**.

A name of five words or more, `joined_like_this_one_is`, is a test's. Tests are renamed
as the code grows, so such a name must stand in some source.
"""

import os
import re
import xml.etree.ElementTree as xml

from .report import Problem

FIGURES = "book/figures"
PALETTE = FIGURES + "/figure.css"
REFERENCES = "book/references.md"

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]*)(?:\s+\"[^\"]*\")?\)")
CITATION = re.compile(r"\[([A-Z][A-Z0-9-]*[A-Z0-9])(?:,\s+([^\[\]]+))?\](?![(\[:])")
SECTION = re.compile(r"[^\"]*\"[^\"]+\"$")
ENTRY = re.compile(r"[-*] \*\*\[([A-Z][A-Z0-9-]*[A-Z0-9])\]\*\*", re.M)
NAME = r"[a-z][a-z0-9]*(?:_[a-z0-9]+){4,}"
STYLE = re.compile(r"(<style>)(.*?)(</style>)", re.S)
SVG = "{http://www.w3.org/2000/svg}"


def matches(page, pattern):
    """(line number, match) of each match in a page's prose."""
    text = page.prose()
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match


# Links and figures of a page.

def check_links(top, page, used, report):
    """Judge each link and image; add the figures shown to the set `used`."""
    for line, match in matches(page, LINK):
        bang, text, target = match.groups()
        if re.match(r"[a-z]+:", target):
            faults = ["the book shows no picture from elsewhere; keep it in "
                      "book/figures"] if bang else []
        elif bang:
            used.add(inside(page, target))
            faults = image_faults(top, page, text, target)
        else:
            faults = link_faults(top, page, target)
        report.judge([Problem(page.path, line, f) for f in faults])


def inside(page, target):
    return os.path.normpath(os.path.join(os.path.dirname(page.path), target))


def image_faults(top, page, text, target):
    path = inside(page, target)
    if not (path.startswith(FIGURES + "/") and path.endswith(".svg")):
        yield f"{target} is not an SVG in book/figures; draw it there"
    elif not os.path.isfile(os.path.join(top, path)):
        yield f"no figure {path}; draw it or correct the name"
    if not text.strip():
        yield f"{target} has no text in its brackets; say what it shows"


def link_faults(top, page, target):
    target, _, anchor = target.partition("#")
    path = inside(page, target) if target else page.path
    if not os.path.exists(os.path.join(top, path)):
        yield f"the link to {path} leads nowhere; correct the path"
    elif anchor and path.endswith(".md"):
        with open(os.path.join(top, path), encoding="utf-8") as file:
            if anchor not in anchors(file.read()):
                yield f"{path} has no heading #{anchor}; correct the anchor"


def anchors(text):
    """The anchors that forges give to headings: lower case, no punctuation."""
    seen = {}
    fences = re.compile(r"^(`{3,}).*?^\1`*\s*$", re.M | re.S)
    for heading in re.findall(r"^#{1,6} +(.+?)\s*$", fences.sub("", text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        yield slug if not seen[slug] else f"{slug}-{seen[slug]}"


# Citations.

def reference_keys(top, report):
    """The keys of references.md; an entry given twice is a problem."""
    try:
        with open(os.path.join(top, REFERENCES), encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return set()
    keys = set()
    for match in ENTRY.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        report.judge([Problem(REFERENCES, line, f"[{match[1]}] has two entries; "
                              "remove one")] if match[1] in keys else [])
        keys.add(match[1])
    return keys


def check_citations(page, keys, report):
    for line, match in matches(page, CITATION):
        key, section = match[1], " ".join((match[2] or "").split())
        faults = []
        if key not in keys:
            faults.append(f"[{key}] is not in {REFERENCES}; add it or correct the key")
        if section and not SECTION.match(section):
            faults.append(f"[{key}, {section}] names no section title; "
                          f'write [{key}, number "Title"]')
        report.judge([Problem(page.path, line, f) for f in faults])


# Names of tests.

def long_names(sources):
    """Every name of five words or more in the sources."""
    return {name for source in sources.values() if source.whole
            for name in re.findall(rf"\b{NAME}\b", "\n".join(source.whole.lines))}


def check_names(page, names, report):
    text = page.text()
    for match in re.finditer(f"`({NAME})`", text):
        faults = [] if match[1] in names else [
            f"no source has {match[1]}; was the test renamed?"]
        line = text.count("\n", 0, match.start()) + 1
        report.judge([Problem(page.path, line, f) for f in faults])


# The figures themselves.

def figure_paths(top):
    folder = os.path.join(top, FIGURES)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [f"{FIGURES}/{n}" for n in names if n.endswith(".svg")]


def check_figure(top, path, palette, used):
    """Problems of one SVG. `used` is None when not all pages were read."""
    with open(os.path.join(top, path), encoding="utf-8") as file:
        text = file.read()
    try:
        root = xml.fromstring(text)
    except xml.ParseError as error:
        return [Problem(path, error.position[0], f"not well-formed XML ({error}); mend it")]
    faults = list(svg_faults(root, text))
    if palette is not None and palette_of(text) is None:
        faults.append("no <style>; put an empty one after <desc>, then run "
                      "book/weave --write")
    elif palette is not None and palette_of(text) != palette:
        faults.append(f"its first <style> is not {PALETTE}; run book/weave --write")
    if used is not None and path not in used:
        faults.append("no page shows this figure; show it or remove it")
    return [Problem(path, 1, fault) for fault in faults]


def svg_faults(root, text):
    if root.tag != SVG + "svg" or "viewBox" not in root.attrib:
        yield "no <svg> with a viewBox; give it one, so that it scales"
    for name in ("title", "desc"):
        element = root.find(SVG + name)
        if element is None or not (element.text or "").strip():
            yield f"no <{name}>; say it for those who cannot see the figure"
    if "currentColor" not in text:
        yield "currentColor is not used; draw lines and text with it"
    for name in ("script", "image", "foreignObject"):
        if next(root.iter(SVG + name), None) is not None:
            yield f"<{name}> does not belong in a figure; draw with shapes and text"


def palette_of(text):
    match = STYLE.search(text)
    return match[2].strip() if match else None


def with_palette(text, palette):
    return STYLE.sub(lambda m: f"{m[1]}\n{palette}\n{m[3]}", text, count=1)


def read_palette(top):
    try:
        with open(os.path.join(top, PALETTE), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None
