"""The one builder of pages: sections of exhibits in, one offline HTML file out.

Everything is inside the file; opening it asks no network for anything, and the page says so to the browser
(Content-Security-Policy).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from simcare.report import theme
from simcare.report.exhibit import Exhibit, Table


# ---- what stands in a section
@dataclass(frozen=True)
class Text:
    """Paragraphs, one a line. "quiet" is how to read what follows; a "finding" is what the page is for, and stands out;
    a "list" has a bullet for each line. A line may be Markup."""

    lines: Sequence[str]
    look: Literal["plain", "quiet", "finding", "list"] = "plain"


@dataclass(frozen=True)
class FindingBox:
    """What the page is for, in a box with a heading; ``more`` says how sure it is. The one of the ``baseline`` is
    grey."""

    heading: str
    sentence: str
    more: str = ""
    baseline: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and what they stand for; folded away under ``summary`` where there is one."""

    rows: Sequence[tuple[str, str]]
    summary: str = ""


@dataclass(frozen=True)
class Searchable:
    """A long table under a search box. Rows can be chosen, and are marked, by the first letter of one column, which
    ``choices`` explain."""

    table: Table
    column: int
    choices: Sequence[tuple[str, str]]
    asks: str
    counted: str


@dataclass(frozen=True)
class Views:
    """What is shown of each strategy in turn, in the order of the page's Chooser."""

    each: Sequence[Sequence[Block]]


Block = Exhibit | Text | FindingBox | Facts | Searchable | Views


@dataclass(frozen=True)
class Section:
    """A section of a page. ``key`` is its address on the page; ``contents`` is what the list of contents calls it, if
    it stands there. ``blocks`` may hold sections, one level down."""

    heading: str
    blocks: Sequence[Block | Section]
    key: str = ""
    contents: str = ""


def section_of(shown: Exhibit) -> Section:
    """A section that holds one exhibit, under its title."""
    return Section(shown.title, [shown])


@dataclass(frozen=True)
class Chooser:
    """Buttons between sections: which strategy all Views below show."""

    names: Sequence[str]


# ---- the page
def page(
    title: str,
    lead: str,
    notes: Sequence[str],
    sections: Sequence[Section | Chooser],
    period: str = "",
) -> str:
    """The page as text: it loads nothing from anywhere.

    An exhibit whose title is that of its section is not titled again. Raises ValueError where two exhibits, or two
    sections, have the same name.
    """
    each = [part for part in sections if isinstance(part, Section)]
    exhibits = list(exhibits_of(each))
    names = [*(one.name for one in exhibits), *(section.key for section in each if section.key)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"names stand twice on the page “{title}”: {', '.join(twice)}")
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            lead=lead,
            notes=notes,
            sections=sections,
            period=period,
            contents=[section for section in each if section.contents],
            figures={one.name: _drawing(one.figure) for one in exhibits if one.figure is not None},
            plotly=Markup(get_plotlyjs()),  # noqa: S704  our own dependency, not input
            config=Markup(json.dumps(theme.CONFIG)),  # noqa: S704
            narrow_px=theme.NARROW_PX,
            middle_px=theme.MIDDLE_PX,
        )
    )


def exhibits_of(sections: Sequence[Section | Chooser]) -> Iterator[Exhibit]:
    """The exhibits of a page, in order."""

    def within(blocks: Sequence[Block | Section]) -> Iterator[Exhibit]:
        for block in blocks:
            if isinstance(block, Exhibit):
                yield block
            elif isinstance(block, Section):
                yield from within(block.blocks)
            elif isinstance(block, Views):
                for each in block.each:
                    yield from within(each)

    for section in sections:
        if isinstance(section, Section):
            yield from within(section.blocks)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("simcare.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"unbroken": unbroken, "stacked": stacked, "breakable": breakable}
    environment.tests["kind"] = lambda block, name: type(block).__name__ == name
    return environment


def _drawing(figure: go.Figure) -> dict[str, Any]:
    """What the template needs of a figure: its title stands above it as text."""
    bare = theme.untitled(figure)
    return {"alt": figure.layout.meta["alt"], "height": int(bare.layout.height), "data": script_json(bare.to_json())}


# ---- text that a browser reads
def script_json(value: str) -> Markup:
    """JSON that cannot end the script element it stands in, nor open a comment in it.

    >>> str(script_json('{"a": "</script>"}'))
    '{"a": "\\\\u003c/script>"}'
    """
    return Markup(value.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704


def unbroken(text: str) -> Markup:
    """Text whose signed numbers do not break after the sign at the end of a line.

    >>> str(unbroken("<b> −£5m"))
    '&lt;b&gt; <span class="n">−£5m</span>'
    """
    return Markup(re.sub(r"[−+]£?\d[\d,.]*(?:m|bn|%)?", r'<span class="n">\g<0></span>', str(escape(text))))  # noqa: S704


def stacked(cell: str) -> Markup:
    """A number with its interval below it, in smaller type.

    >>> str(stacked("£2 (£1 to £3)"))
    '<span class="n">£2</span> <span class="of">(£1 to £3)</span>'
    """
    found = re.fullmatch(r"(.+?) (\(.+\))", cell)
    if found is None:
        return escape(cell)
    return Markup('<span class="n">{}</span> <span class="of">{}</span>').format(*found.groups())


def breakable(path: str) -> Markup:
    """A path that may break after its dots.

    >>> str(breakable("clocks[rise].multiply"))
    'clocks[rise].<wbr>multiply'
    """
    return Markup(str(escape(path)).replace(".", ".<wbr>"))  # noqa: S704


__all__ = [
    "Block",
    "Chooser",
    "Facts",
    "FindingBox",
    "Searchable",
    "Section",
    "Text",
    "Views",
    "exhibits_of",
    "page",
    "section_of",
]
