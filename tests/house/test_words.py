"""The words that people read: those of the field, and each with one meaning.

Councils have words for nearly everything in simcare, and docs/GLOSSARY.md defines them. A private word, one that only
the authors understand, is not used where a user reads it. Names in code font may stand: they are keys of files or
names in the program.
"""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simcare.files.schemas import file_schema
from tests.support.paths import ROOT

GLOSSARY = ROOT / "docs" / "GLOSSARY.md"
MARKDOWN = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "models/*.md", "calibration/*.md", "experiments/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
MODULES = sorted((ROOT / "simcare").rglob("*.py"))
TEMPLATES = sorted((ROOT / "simcare").rglob("*.html"))
TOML = sorted(path for folder in ("models", "calibration", "experiments") for path in (ROOT / folder).glob("*.toml"))

# The private word, as a pattern without regard to capitals, and what to write.
PRIVATE = {
    r"rungs?": "level of need (of a person), tier (of a service)",
    r"(?<!front )(?<!front-)doors?": "front door, first contact",
    r"hand-?overs?": "transition (to adult services), ageing out",
    r"outgr[eo]w\w*": "ageing out",
    r"(?:value of holding|holding value|h(?:o|e)ld(?:s|ing)? on ?to|holding on)": "retention",
    r"premature(?:ly)?": "early discharge by the provider",
    r"l[eo]t(?:s|ting)? (?:\w+ ){0,3}go": "early discharge by the provider",
    r"leaks?": "rate of early discharge",
    r"pools?": "capacity, contracted capacity",
    r"beyond the (?:pool's )?number": "spot purchase, above contracted capacity",
    r"desks?": "assessment-team capacity",
    r"delayed days?": "delayed discharge day",
    r"what (?:then )?came": "outturn",
    r"what is to come": "forecast",
    r"h[eo]ld[- ]back": "held out (of a fit); kept",
    r"widths? (?:is |are )?left": "share of prior uncertainty remaining",
    r"prior-driven": "not informed by the data",
    r"(?:un)?luck(?:y|ily)?": "chance events",
    r"(?:other|another|some|in a) worlds?|worlds": "scenario",
    r"draws? (?:by|with) address(?:es)?": "common random numbers",
    r"twins?": "cohort (Markov) model",
    r"plain limit": "Markov simplification",
    r"noughts?": "zero",
    r"dear(?:er|est)?": "expensive",
    r"anew": "again",
    r"told": "reported, said; no clear difference",
    r"brakes?": "front-door prevention",
    r"leaving care for other reasons": "case closed, moved away",
    r"genuine (?:demand|or induced)": "underlying need-driven demand",
    r"own costs?": "programme cost",
    r"(?<!net )present values?": "NPV (Green Book)",
    r"firms?": "provider",
    # Phrases.
    r"cannot tell \W?.{0,60} from no difference|not to be told": "no clear difference",
    r"nine in ten futures|nine futures in ten": "90 % prediction interval (nine in ten simulated futures)",
    r"as sure as": "results that depend on these are only as reliable as the assumptions behind them",
    r"sa(?:y|ys|id) little of": "the published data say little about",
    r"sees? (?:a|one) tier too (?:much|high)": "assessed one tier above need",
    r"how providers fared": "provider finances and failures",
    r"the same people and the same": "the same simulated people and the same chance events",
    r"(?:holds?|takes?) [^.]{0,40}\bcosts? away": "avoids £x of cost",
    r"care above need teaches": "extra need caused by over-provision (learned dependency)",
    r"misses and all": "including where it was wrong",
    r"known better together": "estimated jointly",
}
PATTERN = re.compile("|".join(rf"(?P<w{i}>\b(?:{words})\b)" for i, words in enumerate(PRIVATE)), re.IGNORECASE)
USE_INSTEAD = dict(zip((f"w{i}" for i in range(len(PRIVATE))), PRIVATE.values(), strict=True))

# Where a private word may stand, as a pattern for the line, and why.
EXCUSED_LINES = {
    "CHANGELOG.md": (r"^  \| ", "the table of words before and now"),
}
EXCUSED_FILES = {
    "models": "the shipped fit is held against the bytes of the model it was made from",
    "calibration": "the shipped fit is held against the bytes of the calibration and tables it was made from",
}


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def private_words(text: str) -> list[str]:
    """The private words of a text, each with what to write."""
    return [f"'{match.group()}': {USE_INSTEAD[str(match.lastgroup)]}" for match in PATTERN.finditer(text)]


def without_code(text: str) -> str:
    """Markdown without code blocks, code in lines, addresses of links and comments; as many lines as before."""

    def blank(match: re.Match[str]) -> str:
        return "\n" * match.group().count("\n")

    text = re.sub(r"(?ms)^( *)```.*?^\1```$", blank, text)
    text = re.sub(r"(?m)^    (?![-*\d]).*$", "", text)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.sub(r"\]\([^)]*\)|<!--.*?-->", "]", text)


def comments(text: str) -> str:
    """The comments of a TOML file, a line each where the file has one."""
    found = []
    for line in text.splitlines():
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
        found.append(bare.partition("#")[2])
    return "\n".join(found)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of more than one word in a TOML file, with its path; names and keys are single words or stand where
    other rows point to."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "name":
                yield from texts(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from texts(item, f"{path}[{i}]")
    elif isinstance(value, str) and path.rpartition(".")[2] in {"title", "note", "description", "why", "theme"}:
        yield path, value


def test_private_words_are_found() -> None:
    text = "The front door is fine, the door is not.\n`rung` and [rung](rung.md)\n\n    rung = 1\n\nNought, and a rung."
    assert private_words(without_code(text)) == [
        "'door': front door, first contact",
        "'rung': level of need (of a person), tier (of a service)",
        "'Nought': zero",
        "'rung': level of need (of a person), tier (of a service)",
    ]


@pytest.mark.parametrize("path", MARKDOWN, ids=short)
def test_pages_use_the_words_of_the_field(path: Path) -> None:
    excused = EXCUSED_LINES.get(short(path), ("$.", ""))[0]
    lines = without_code(path.read_text(encoding="utf-8")).splitlines()
    found = [
        f"{short(path)}:{number}: {word}"
        for number, line in enumerate(lines, start=1)
        if not re.search(excused, line)
        for word in private_words(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", [p for p in TOML if p.parent.name not in EXCUSED_FILES], ids=short)
def test_shipped_files_use_the_words_of_the_field(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = [
        f"{short(path)}:{number}: {word}"
        for number, line in enumerate(comments(text).splitlines(), start=1)
        for word in private_words(without_code(line))
    ]
    found += [f"{short(path)}: {at}: {w}" for at, text_ in texts(tomllib.loads(text)) for w in private_words(text_)]
    assert not found, "\n".join(found)


# The code: messages, help texts, and what the schema says.


def strings(tree: ast.Module, documented: bool) -> Iterator[tuple[int, str]]:
    """The texts of a module with their lines, where they hold more than one word; docstrings only if they are shown."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Constant)
            or not isinstance(node.value, str)
            or not re.search(r"\w\s+\w", node.value)
        ):
            continue
        if documented or id(node) not in docstrings:
            yield node.lineno, node.value


def shown(text: str) -> str:
    """A message without the names it quotes."""
    return re.sub(r"(?<!\w)'[\w.\[\]: ]*'(?!\w)|\b[\w.]+\[|\b\w+(?:\.\w+)+", "", without_code(text))


def test_private_words_in_messages_are_found_and_names_of_files_are_not() -> None:
    code = """def f(x):
    'A rung, not shown.'
    return f"handovers[{x}].supported: 'premature' is a hand-over", "rung", "nought people"
"""
    texts_ = [text for _, text in strings(ast.parse(code), documented=False)]
    found = {word.partition(":")[0] for text in texts_ for word in private_words(shown(text))}
    assert found == {"'hand-over'", "'nought'"}


# The docstrings here are shown: as help on the command line, in the schema for editors, and by help(simcare.run).
DOCUMENTED = ("simcare/cli/", "simcare/model/")


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_messages_use_the_words_of_the_field(path: Path) -> None:
    documented = short(path).startswith(DOCUMENTED)
    found = [
        f"{short(path)}:{line}: {word} in {text!r}"
        for line, text in strings(ast.parse(path.read_text(encoding="utf-8")), documented)
        for word in private_words(shown(text))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", ["simcare", "simcare.induced"])
def test_what_is_exported_is_described_in_the_words_of_the_field(package: str) -> None:
    exported = importlib.import_module(package)
    described = {name: getattr(exported, name).__doc__ or "" for name in exported.__all__}
    assert {name: words for name, text in described.items() if (words := private_words(without_code(text)))} == {}


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_templates_use_the_words_of_the_field(path: Path) -> None:
    text = re.sub(
        r"(?s)\{#.*?#\}|\{[{%].*?[%}]\}|<style.*?</style>|<script.*?</script>|<[^>]*>",
        " ",
        path.read_text(encoding="utf-8"),
    )
    assert private_words(text) == []


# The glossary.


def address_of(heading: str) -> str:
    """The address that a heading gets on the page, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def entries() -> dict[str, str]:
    """The terms of the glossary with what stands below them."""
    _, _, body = GLOSSARY.read_text(encoding="utf-8").partition("## The words\n")
    parts = re.split(r"(?m)^### (.+)$", body)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def alphabetical(term: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", term.lower().replace("–", " ").replace("-", " "))


def test_the_glossary_is_in_order_and_says_everything_once() -> None:
    terms = list(entries())
    assert [alphabetical(term) for term in terms] == sorted({alphabetical(term) for term in terms})


@pytest.mark.parametrize("term", entries())
def test_a_term_is_defined_in_two_short_sentences(term: str) -> None:
    definition = entries()[term].partition("*In files:*")[0].strip()
    sentences = [line for line in definition.splitlines() if line]
    assert 1 <= len(sentences) <= 2
    assert all(len(sentence.split()) <= 25 and sentence.endswith((".", "?")) for sentence in sentences)


def test_every_term_stands_under_a_subject() -> None:
    subjects = GLOSSARY.read_text(encoding="utf-8").partition("## The words\n")[0]
    listed = re.findall(r"\[([^]]+)\]\(#([^)]+)\)", subjects)
    assert sorted(listed) == sorted((term, address_of(term)) for term in entries())


@pytest.mark.parametrize("path", [path for path in MARKDOWN if path != GLOSSARY], ids=short)
def test_terms_that_a_page_marks_stand_in_the_glossary(path: Path) -> None:
    marked = set(re.findall(r"GLOSSARY\.md#([^)\s]+)", path.read_text(encoding="utf-8")))
    assert marked <= {address_of(term) for term in entries()}


def keys_of(published: Any) -> Iterator[str]:
    """Every key that a schema knows."""
    if isinstance(published, dict):
        yield from published.get("properties", {})
        for part in published.values():
            yield from keys_of(part)
    elif isinstance(published, list):
        for part in published:
            yield from keys_of(part)


def test_tables_that_the_glossary_names_are_tables_of_the_files() -> None:
    known = {key for kind in ("model", "experiment", "calibration") for key in keys_of(file_schema(kind))}
    named = re.findall(r"`\[+([\w.]+)\]+`", GLOSSARY.read_text(encoding="utf-8"))
    assert named
    assert set(named) <= known


# What pages point to.


@pytest.mark.parametrize("path", MARKDOWN, ids=short)
def test_files_that_a_page_names_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(
        r"(?<![\w./])((?:simcare|scripts|docs|tests|models|experiments|calibration|benchmarks)/[\w./-]*[\w/])", text
    )
    links = [
        match
        for match in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if not re.match(r"https?:", match) and "GLOSSARY" not in match
    ]
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [link for link in links if not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("path", MARKDOWN, ids=short)
def test_headings_that_a_page_points_to_are_there(path: Path) -> None:
    for target, address in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", path.read_text(encoding="utf-8")):
        page = path.parent / target if target else path
        headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
        assert address in {address_of(heading) for heading in headings}, f"{target}#{address}"


@pytest.mark.parametrize("path", MARKDOWN, ids=short)
def test_python_that_a_page_shows_imports_what_is_there(path: Path) -> None:
    for block in re.findall(r"(?ms)^```python\n(.*?)^```", path.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if re.match(r"(?:from|import) simcare", line):
                exec(compile(line, short(path), "exec"), {})
