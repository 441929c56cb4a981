"""What TOML cannot read is told in plain words: file, line, the line's text and what was meant; every fault at once."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest

from simcare.errors import BadInput
from simcare.files.library import library
from simcare.files.toml_faults import read_toml, tables_of

EXPERIMENT = """name = "m"
title = "Mistake"
years = 5

[shrinkage]
A = { value = 1, source = "assumption", grade = "D" }
B = { value = 0.75, source = "assumption", grade = "D" }

[[strategies]]
name = "help"
start = 2014-04-01
stages = ["older people", "11-24"]
gbp_per_year = { value = 1000000, source = "assumption", grade = "D" }

[[strategies.effects]]
on = "rise"
multiply = { value = 0.8, source = "assumption", grade = "D" }
"""
THEIR_WORDS = (
    "Unclosed",
    "Expected",
    "Invalid",
    "Illegal",
    "Cannot",
    "inline table",
    "namespace",
    "document after",
    "column",
    "Unescaped",
    "Unterminated",
)

VALUES = [
    ("1000000", "1,000,000", "write 1000000"),
    ("1000000", "1 000 000", "write 1000000"),
    ("1000000", "£1,000,000", "write 1000000"),
    ("1000000", "£1m", "write 1000000"),
    ("1000000", "£1,250.50", "write 1250.50"),
    ("1000000", "£600 a week", "write 600"),
    ("1000000", "250k", "write 250000"),
    ("1000000", "1000000 pounds", "write 1000000"),
    ("0.8", "80%", "write 0.8 for 80%"),
    ("0.8", "2.5 per cent", "write 0.025 for 2.5%"),
    ("0.8", ".8", "write 0.8"),
    ("0.8", "0,8", "write 0.8"),
    ("0.8", "4/5", "write 0.8"),
    ("0.8", "0.7-0.9", "low = 0.7, high = 0.9"),
    ("0.8", "", "there is no value after the ="),
    ("0.8", "n/a", "there is no value after the ="),
    ("0.8", "True", "write true"),
    ("0.8", "yes", "write true"),
    ("0.8", "NO", "write false"),
    ("0.8", "about 0.8", "write 0.8"),
    ("0.8", "−0.8", "write -0.8"),
    ("5", "05", "write 5"),
    ("5", "5 years", "write 5"),
    ("5", "five", 'write "five"'),
    ("2014-04-01", "01/04/2014", "write 2014-04-01"),
    ("2014-04-01", "1.4.2014", "write 2014-04-01"),
    ("2014-04-01", "04/13/2014", "write 2014-04-13"),
    ("2014-04-01", "2014-4-1", "write 2014-04-01"),
    ("2014-04-01", "2014/04/01", "write 2014-04-01"),
    ("2014-04-01", "2014–04–01", "write 2014-04-01"),
    ("2014-04-01", "1st April 2014", "write 2014-04-01"),
    ("2014-04-01", "April 2014", "write 2014-04-01"),
    ("2014-04-01", "2014-04", "write 2014-04-01"),
    ("2014-04-01", "1 April", "a date needs its year"),
    ("2014-04-01", "2014-04-31", "there is no 31 April 2014"),
    ("2014-04-01", "2012/13", 'write "2012/13"'),
    ('"m"', "“m”", 'write straight ones: "m"'),
    ('"m"', "‘m’", 'write straight ones: "m"'),
    ('"m"', '"m', 'a quotation mark is missing; write "m"'),
    ('"m"', 'm"', 'a quotation mark is missing; write "m"'),
    ('"m"', "m", 'write "m"'),
    ('"m"', '"C:\\models\\kent"', 'write "C:/models/kent"'),
    ('"m"', '"the "m" plan"', "write \"the 'm' plan\""),
    ('"m"', "'Kent's plan'", 'write "Kent\'s plan"'),
    ('"m"', '"m";', "a line does not end with ';'"),
    ('"m"', '"m", "n"', 'several values stand in a list; write ["m", "n"]'),
    ('"m"', '"m" and more', "there is more on the line than one key = value"),
    ('"m"', "'''m", "is not closed"),
    ('"D" }\n\n[[strategies.effects]]', '"D"\n\n[[strategies.effects]]', "write } at its end"),
    ('"D" }\n\n[[strategies.effects]]', '"D", }\n\n[[strategies.effects]]', "a comma before the }; take it away"),
    ('"D" }\n\n[[strategies.effects]]', '"D" }}\n\n[[strategies.effects]]', "a closing bracket more"),
    ("1000000, source", "1000000 source", "a comma is missing between two keys"),
    ("1000000, source", "1000000; source", "a comma, not ';'"),
    ("1000000, source", "1000000,\n    source", "stands on one line"),
    ("1000000, source", "1000000, value = 2, source", "the key value is there twice"),
    ("gbp_per_year =", "gbp_per_year:", "stands =, not ':'"),
    ("gbp_per_year =", "gbp_per_year", "is followed by ="),
    ("gbp_per_year =", "gbp_per_year ==", "stands one ="),
    ("gbp_per_year =", "gbp per year =", 'write "gbp per year" ='),
    ('"11-24"]', '"11-24"', "write ] at its end"),
    ('"11-24"]', '"11-24"]]', "a closing bracket more"),
    ('"older people", ', '"older people" ', "a comma is missing between two texts"),
    ('["older people", "11-24"]', "[older people, 11-24]", 'write "older people"'),
    ("[[strategies]]", "[[strategies]", "the brackets do not match; write [[strategies]]"),
    ("[[strategies]]", "[strategies", "the brackets do not match; write [strategies]"),
    ("[[strategies]]", "[strategies]\nx = 1\n[[strategies]]", "is there already, in line 9; write [[strategies]]"),
    ("[shrinkage]", "[shrinkage]\n[shrinkage]", "shrinkage is there already, in line 5; put what belongs to it"),
    ("[shrinkage]", "(shrinkage)", "write [shrinkage]"),
    ("[shrinkage]", "[shrinkage] of effects", "stands on the next line"),
    ("years = 5", "years = 5\nyears = 6", "the key years is there already, in line 3"),
    ("years = 5", "// years\nyears = 5", "a comment begins with #"),
    ("years = 5", "This is my file", "neither key = value, nor [a table], nor a comment"),
    ("years = 5", "years\u00a0= 5", "a space that is not that of the keyboard"),
    ("years = 5", "years\u200b = 5", "(U+200B)"),
]  # fmt: skip


@pytest.mark.parametrize(("there", "typed", "said"), VALUES, ids=[typed[:24] for _, typed, _ in VALUES])
def test_a_fault_is_told_with_its_line_and_what_was_meant(there: str, typed: str, said: str) -> None:
    text = EXPERIMENT.replace(there, typed, 1)
    with pytest.raises(BadInput) as refused:
        tables_of(text, "m.toml")
    assert len(refused.value.faults) == 1, refused.value.faults
    told = refused.value.faults[0]
    assert said in told
    number, shown = told.removeprefix("m.toml: line ").split(" (`", 1)
    assert text.split("\n")[int(number) - 1].strip().startswith(shown.split("`)")[0].rstrip("…"))
    assert not [word for word in THEIR_WORDS if word in told.split("`)")[-1]]


def test_every_fault_is_told_at_once() -> None:
    text = EXPERIMENT.replace('"m"', "“m”").replace("1000000", "£1m").replace("2014-04-01", "1/4/14")
    with pytest.raises(BadInput) as refused:
        tables_of(text.replace("0.75", "75%"), "m.toml")
    assert [fault.split(" ")[2] for fault in refused.value.faults] == ["1", "7", "11", "13"]


@pytest.mark.parametrize(
    "text",
    [
        EXPERIMENT.replace('"Mistake"', '"Kent’s plan: “more” help – £5, 40%, 01/04/2014"'),
        EXPERIMENT.replace("years", "\tyears").replace(" = 5", "\t=\t5"),
        EXPERIMENT.replace("\n", "\r\n"),
        EXPERIMENT.replace("\n", "\r"),
    ],
)
def test_what_toml_can_read_is_left_alone(text: str) -> None:
    assert tables_of(text, "m.toml")["years"] == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_files_of_notepad_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(EXPERIMENT.replace("Mistake", "Ynys Môn").encode(encoding))
    assert read_toml(path)["title"] == "Ynys Môn"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            EXPERIMENT.replace("Mistake", "Ynys Môn").encode("cp1252"),
            'line 2 (`title = "Ynys Môn"`): is not UTF-8 text',
        ),
        (b"PK\x03\x04 and more", "is a workbook or another packed file, not a text in TOML"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old or a locked workbook"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (b'{"name": "m"}', "is JSON"),
        (EXPERIMENT[: EXPERIMENT.index("older")].encode(), "is not complete, valid TOML if it was cut off there"),
    ],
)
def test_a_file_of_another_kind_is_told_as_what_it_is(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(raw)
    with pytest.raises(BadInput) as refused:
        read_toml(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_no_mangled_file_makes_it_fall_over() -> None:
    """Shipped files with characters taken out, put in and swapped: read, or refused in sentences that name a line."""
    rng = random.Random(14)
    texts = [path.read_text(encoding="utf-8") for path in sorted(library("experiments").glob("*.toml"))[:3]]
    for _ in range(300):
        text = rng.choice(texts)[:4000]
        for _ in range(rng.randint(1, 4)):
            k = rng.randrange(len(text))
            text = text[:k] + rng.choice(["", '"', "[", "]", "{", "}", "=", ",", "\n", "%", "“", "\\"]) + text[k + 1 :]
        told = faults_of(text)
        assert all(fault.startswith("m.toml: line ") for fault in told), told
        if not told:
            tomllib.loads(text)


def faults_of(text: str) -> tuple[str, ...]:
    try:
        tables_of(text, "m.toml")
    except BadInput as error:
        return error.faults
    return ()
