"""An offline page of figures, tables and paragraphs in one HTML file: what the verbs beside ``run`` and ``compare``
show."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from simcare.report import theme


class PageTable(NamedTuple):
    """A table of the page: title, heads, rows. Every column but the first holds numbers, unless ``text`` says that all
    are words."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    text: bool = False


class PageFigure(NamedTuple):
    """A figure of the page: its heading, and a sentence below it."""

    title: str
    figure: go.Figure
    note: str = ""


class PageText(NamedTuple):
    """Paragraphs under a heading; one paragraph a line. A ``finding`` is what the page is for, and stands out."""

    title: str
    lines: Sequence[str]
    finding: bool = False


Part = PageTable | PageFigure | PageText


def page(title: str, lead: str, notes: Sequence[str], parts: Sequence[Part]) -> str:
    """The page as text: it loads nothing from anywhere."""
    environment = Environment(
        loader=PackageLoader("simcare.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"unbroken": unbroken, "stacked": stacked}
    return environment.get_template("page.html").render(
        title=title,
        lead=lead,
        notes=notes,
        parts=[_shown(k, part) for k, part in enumerate(parts)],
        drawn=any(isinstance(part, PageFigure) for part in parts),
        plotly=Markup(get_plotlyjs()),  # noqa: S704  our own dependency, not input
        config=Markup(json.dumps(theme.CONFIG)),  # noqa: S704
        narrow_px=theme.NARROW_PX,
        middle_px=theme.MIDDLE_PX,
    )


def _shown(k: int, part: Part) -> dict[str, object]:
    if isinstance(part, PageFigure):
        bare = theme.untitled(part.figure)
        about = {
            "key": f"figure-{k}",
            "alt": part.figure.layout.meta["alt"],
            "height": int(bare.layout.height),
            "data": script_json(bare.to_json()),
        }
        return {"kind": "figure", "title": part.title, "note": part.note, **about}
    return {"kind": "table" if isinstance(part, PageTable) else "text", **part._asdict()}


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


__all__ = ["PageFigure", "PageTable", "PageText", "Part", "page", "script_json", "stacked", "unbroken"]
