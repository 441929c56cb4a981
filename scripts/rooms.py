"""Draws docs/rooms.svg: the packages of simcare in the order of their imports, each with what it owns.

    .venv/bin/python scripts/rooms.py            # writes the picture again
    .venv/bin/python scripts/rooms.py --check    # exit 1 if the picture in docs/ is not today's

The rows are those of the import contract in pyproject.toml; the words are the first sentence of each package's
docstring.
"""

import ast
import sys
import textwrap
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "rooms.svg"
WIDTH, MARGIN, GAP, LINE = 980, 16, 12, 17  # pixels
SHADES = {"cli": "#dcebf5", "report": "#dcebf5", "rules": "#fbe6d6", "engine": "#fbe6d6", "arrays": "#fbe6d6"}
PLAIN = "#f1f4f6"


def rows() -> list[list[str]]:
    """The packages, a list a row, those that import the most first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in project["tool"]["importlinter"]["contracts"] if c["id"] == "layers")
    return [[name.strip() for name in layer.replace(":", "|").split("|")] for layer in contract["layers"]]


def owns(name: str) -> str:
    """What a package, or a module of the root, says of itself in its first sentence."""
    package = ROOT / "simcare" / name / "__init__.py"
    file = package if package.is_file() else ROOT / "simcare" / f"{name}.py"
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    first = said.split("\n\n")[0].replace("\n", " ").replace("``", "")
    return first.split(". ")[0].rstrip(".")


def box(name: str, x: float, y: float, width: float, height: float) -> str:
    """A room: its name, and what it owns below."""
    lines = textwrap.wrap(owns(name), int((width - 24) / 6.9))
    words = "".join(
        f'<text x="{x + 12:g}" y="{y + 40 + LINE * k:g}" class="w">{escape(line)}</text>'
        for k, line in enumerate(lines)
    )
    shade = SHADES.get(name, PLAIN)
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" fill="{shade}" stroke="#8a959e"/>'
        f'<text x="{x + 12:g}" y="{y + 21:g}" class="n">{escape(name)}</text>{words}'
    )


def picture() -> str:
    """The whole drawing as SVG."""
    y, shapes = 34.0, []
    for row in rows():
        width = (WIDTH - 2 * MARGIN - (len(row) - 1) * GAP) / len(row)
        most = max(len(textwrap.wrap(owns(name), int((width - 24) / 6.9))) for name in row)
        height = 33 + LINE * most
        shapes += [box(name, MARGIN + k * (width + GAP), y, width, height) for k, name in enumerate(row)]
        y += height + GAP
    style = ".n{font:bold 14px Arial,sans-serif;fill:#1f2a33}.w{font:12.5px Arial,sans-serif;fill:#55626d}"
    head = f'<text x="{MARGIN}" y="20" class="w">A room imports only from rooms below its own.</text>'
    size = f'width="{WIDTH}" height="{y:g}" viewBox="0 0 {WIDTH} {y:g}"'
    about = "<title>The rooms of simcare, in the order of their imports</title>"
    body = "\n".join(
        [about, f"<style>{style}</style>", f'<rect width="{WIDTH}" height="{y:g}" fill="white"/>', head, *shapes]
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n{body}\n</svg>\n'


def main() -> int:
    """Write the picture, or hold it against the one that is there."""
    drawn = picture()
    if "--check" in sys.argv[1:]:
        return int(not PICTURE.is_file() or PICTURE.read_text(encoding="utf-8") != drawn)
    PICTURE.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
