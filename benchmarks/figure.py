"""The figure of the benchmarks: events a second by engine, and run time against the number of clients.

``plot(results, path)`` draws what is there of ``results``: ``kent`` and ``queue`` hold a dict for each engine, with
``rows_per_second`` and ``customers_per_second``; ``clients`` is a list of dicts with ``clients``, ``engine`` and
``cpu`` (seconds). It is drawn as the README's picture is, by ``scripts/picture.py``.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from simcare.report import theme
from simcare.report.theme import axis

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
from picture import WIDTH_PX, svg, titled

# Name, colour and marker of each engine, slowest kind first.
ENGINES = {
    "usual": ("SimPy, the usual way", theme.QUIET, "circle"),
    "ciw": ("Ciw", theme.PURPLE, "square"),
    "simpy": ("simcare, SimPy engine", theme.SKY, "diamond"),
    "compiled": ("simcare, compiled engine", theme.BLUE, "triangle-up"),
    "compiled_aggregate": ("simcare, compiled, no log", theme.VERMILION, "star"),
}
HEADINGS = {
    "kent": ("Kent", "rows of the log a second of processor time"),
    "queue": ("M/M/2 queue", "customers a second of processor time"),
}
SPEED = {"kent": "rows_per_second", "queue": "customers_per_second"}
TITLE = "How fast the engines are"


def plot(results: dict[str, Any], path: str | Path) -> None:
    """Draw the results as SVG."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("no chromium on the path")
    fig = figure(results)
    Path(path).write_text(titled(svg(fig, browser), fig) + "\n", encoding="utf-8")


def figure(results: dict[str, Any]) -> go.Figure:
    """The figure: a panel for each part there is."""
    speeds = [part for part in HEADINGS if results.get(part)]
    runs = results.get("clients", [])
    shown = [
        name
        for name in ENGINES
        if any(name in results[part] for part in speeds) or any(row["engine"] == name for row in runs)
    ]
    count = len(speeds) + bool(runs)
    across = max(1, WIDTH_PX // 230)
    wide = theme.Panels(count, count, panel_px=235, top_px=theme.legend_px(len(shown), across), column_gap=0.07)
    narrow = theme.Panels(count, 1, panel_px=220, top_px=theme.legend_px(len(shown), 1), row_gap_px=78)
    fig = theme.figure(TITLE, alt(results, speeds, runs), wide, narrow)
    fig.update_layout(margin={"l": 14 if speeds else 60, "r": 20})
    for name in shown:
        _legend(fig, name)
    for k, part in enumerate(speeds):
        _speeds(fig, k, part, results[part])
    if runs:
        _run_times(fig, count - 1, runs)
    return fig


def _legend(fig: go.Figure, engine: str) -> None:
    name, colour, symbol = ENGINES[engine]
    fig.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 10},
        name=name,
        legendgroup=engine,
    )


def _speeds(fig: go.Figure, k: int, part: str, found: dict[str, Any]) -> None:
    """A dot for each engine on a log axis, with its figure beside it."""
    there = {name: found[name][SPEED[part]] for name in ENGINES if name in found}
    place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "showlegend": False, "hoverinfo": "skip"}
    low, high = math.floor(math.log10(min(there.values())) - 0.1), math.ceil(math.log10(max(there.values())) + 0.1)
    for y, (name, value) in enumerate(reversed(there.items())):
        _, colour, symbol = ENGINES[name]
        fig.add_scatter(
            x=[10.0**low, 10.0**high],
            y=[y, y],
            mode="lines",
            line={"color": theme.RULE, "width": 1, "dash": "dot"},
            **place,
        )
        fig.add_scatter(
            x=[value], y=[y], mode="markers", marker={"color": colour, "symbol": symbol, "size": 11}, **place
        )
        text = short(value) + ("" if name == "usual" or "usual" not in there else times(value / there["usual"]))
        at = {"x": math.log10(value), "y": y, "xref": axis("x", k, True), "yref": axis("y", k, True)}
        fig.add_annotation(
            text=text,
            showarrow=False,
            xanchor="center",
            yshift=15,
            font={"size": 12},
            bgcolor="white",
            borderpad=1,
            **at,
        )
    rows = {"range": [-0.6, len(there) - 0.3], "showgrid": False, "showticklabels": False}
    fig.update_layout({axis("x", k): log_axis(low, high), axis("y", k): rows})
    theme.panel_title(fig, k, *HEADINGS[part])


def times(ratio: float) -> str:
    """How many times the usual way's speed, in quiet ink."""
    return f" <span style='color:{theme.QUIET}'>×{short(ratio)}</span>"


def _run_times(fig: go.Figure, k: int, runs: Sequence[dict[str, Any]]) -> None:
    """Seconds against clients, a line for each engine, both axes by powers of ten."""
    place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "showlegend": False, "hoverinfo": "skip"}
    for name, (_, colour, symbol) in ENGINES.items():
        mine = sorted((row["clients"], row["cpu"]) for row in runs if row["engine"] == name)
        if mine:
            x, y = zip(*mine, strict=True)
            marker = {"color": colour, "symbol": symbol, "size": 8}
            fig.add_scatter(x=x, y=y, mode="lines+markers", line={"color": colour, "width": 2}, marker=marker, **place)
    low, high = bounds([row["clients"] for row in runs])
    fig.update_layout(
        {axis("x", k): log_axis(low, high), axis("y", k): log_axis(*bounds([row["cpu"] for row in runs]))}
    )
    theme.panel_title(fig, k, "Run time by number of clients", "seconds of processor time")


def bounds(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten that hold these values.

    >>> bounds([0.02, 700])
    (-2, 3)
    """
    return math.floor(math.log10(min(values)) + 0.01), math.ceil(math.log10(max(values)) - 0.01)


def log_axis(low: int, high: int) -> dict[str, Any]:
    """An axis by powers of ten, from one to another."""
    powers = range(low, high + 1)
    texts = [short(10.0**p) for p in powers]
    shown = {"tickmode": "array", "tickvals": [10.0**p for p in powers], "ticktext": texts, "tickangle": 0}
    return {"type": "log", "range": [low - 0.06, high + 0.06], "showgrid": True, "gridcolor": theme.RULE, **shown}


def short(value: float) -> str:
    """A figure to two digits, millions and thousands in letters.

    >>> short(52_348.0), short(3_470_000.0), short(0.1), short(6.54)
    ('52k', '3.5m', '0.1', '6.5')
    """
    value = float(f"{value:.2g}")
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def alt(results: dict[str, Any], speeds: Sequence[str], runs: Sequence[dict[str, Any]]) -> str:
    """What the figure shows, in words."""
    said = []
    for part in speeds:
        figures = ", ".join(
            f"{ENGINES[name][0]} {short(results[part][name][SPEED[part]])}" for name in ENGINES if name in results[part]
        )
        said.append(f"{HEADINGS[part][0]}, {HEADINGS[part][1]}: {figures}.")
    if runs:
        most = max(row["clients"] for row in runs)
        last = [(ENGINES[row["engine"]][0], row["cpu"]) for row in runs if row["clients"] == most]
        said.append(
            f"With {short(most)} clients a run takes: "
            + ", ".join(f"{name} {short(cpu)} seconds" for name, cpu in last)
            + "."
        )
    return " ".join(said)


def main() -> None:
    """Draw a file of results."""
    plot(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.argv[2])


if __name__ == "__main__":
    main()
