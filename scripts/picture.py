"""Draw the README's picture of the answer from the folder of a finished comparison.

    simcare compare prevention --out runs/prevention
    python scripts/picture.py runs/prevention docs/picture.svg

The picture is the report's own comparison figure, drawn by plotly.js in a headless Chromium and kept as SVG.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from simcare.report import figures, summaries, wording
from simcare.report.folders import read_folder

WIDTH_PX = 1000
PAGE = """<!doctype html><meta charset="utf-8"><div id="plot"></div><pre id="svg"></pre><script>{plotly}</script>
<script>
var figure = {figure};
figure.layout.width = {width};
Plotly.newPlot("plot", figure.data, figure.layout).then(function (plot) {{
  return Plotly.toImage(plot, {{ format: "svg", width: {width}, height: figure.layout.height }});
}}).then(function (address) {{
  document.getElementById("svg").textContent = decodeURIComponent(address.replace(/^data:image\\/svg\\+xml,/, ""));
}});
</script>"""


def comparison_figure(folder: Path) -> go.Figure:
    """The comparison figure of a finished folder."""
    given = read_folder(folder)
    if given.differences is None:
        sys.exit(f"{folder}: is a run, not a comparison; a picture needs the folder of `simcare compare`")
    period = wording.horizon_words(summaries.financial_years(given.measures))
    return figures.comparison_figure(given.differences, given.titles, period)


def svg(figure: go.Figure, browser: str) -> str:
    """The figure as SVG text."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "picture.html"
        page.write_text(PAGE.format(plotly=get_plotlyjs(), figure=figure.to_json(), width=WIDTH_PX), encoding="utf-8")
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--window-size={WIDTH_PX + 60},900",
            "--virtual-time-budget=20000",
            "--dump-dom",
        ]
        done = subprocess.run([browser, *flags, page.as_uri()], capture_output=True, text=True, check=True)
    found = re.search(r'<pre id="svg">(<?.+?)</pre>', done.stdout, re.DOTALL)
    if found is None:
        sys.exit("the browser drew nothing")
    return html.unescape(found.group(1))


def titled(picture: str, figure: go.Figure) -> str:
    """The picture with its description inside, for those who hear it."""
    about = figure.layout.meta
    words_for_it = f"<title>{html.escape(about['title'])}</title><desc>{html.escape(about['alt'])}</desc>"
    return re.sub(r"(<svg[^>]*?)>", rf'\1 role="img">{words_for_it}', picture, count=1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the README's picture from the folder of a finished comparison.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path, nargs="?", default=Path("docs/picture.svg"))
    given = parser.parse_args()
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("no chromium on the path")
    figure = comparison_figure(given.folder)
    given.picture.write_text(titled(svg(figure, browser), figure) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
