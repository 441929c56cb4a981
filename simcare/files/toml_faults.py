"""What is wrong with a file that TOML cannot read: every fault at once, each with its line and what was meant.

TOML stops at the first fault. Here that line is mended as it was probably meant, or left out where that is not clear,
and the file is read again, until nothing is left to tell.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from simcare.demand.plain_text import plain_text
from simcare.errors import BadInput
from simcare.files.toml_line import (
    HEADER,
    KEY,
    UNCLEAR,
    LineFault,
    is_open,
    line_faults,
    masked_line,
    strange_character,
)

OTHER_FILES = {
    b"pk\x03\x04": "a workbook or another packed file",
    b"\xd0\xcf\x11\xe0": "an old or a locked workbook",
    b"%pdf": "a PDF",
    b"<html": "a web page",
    b"<!doctype": "a web page",
    b"{": "JSON",
    b"par1": "a Parquet file",
}
TABLES = (".csv", ".tsv", ".parquet", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
MOST = 20  # faults told of one file
SHOWN = 76  # characters of a line
WORDS = {  # the reader's own sentences, where nothing better is known
    "Unclosed array": "a list that begins with [ is not closed; write ] at its end",
    "Unclosed inline table": "what stands between { and } is not complete; write } at its end, on the same line",
    "Invalid statement": "this is no line of TOML; write key = value, [a table], or # before a comment",
    "Expected '=' after a key in a key/value pair": "a key is followed by = and its value",
    "Expected newline or end of document after a statement": "there is more on the line than one key = value",
    "Invalid initial character for a key part": "a key begins with a letter, a digit or a quotation mark",
    "Unescaped '\\' in a string": "a \\ in a text is a sign of its own; write / or \\\\",
    "Unterminated string": "a text is not closed; write a quotation mark at its end",
    "Invalid date or datetime": "there is no such date; a date is written year-month-day, such as 2014-04-01",
    "Invalid value": "this is no value that TOML knows: a number, a date, true, false, or a text in quotation marks",
}
_AT = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.S)


class TomlFaults(BadInput):
    """What is wrong with a text that TOML cannot read; ``mended`` are its tables as they were probably meant, None
    where that is not clear."""

    def __init__(self, faults: Sequence[str], mended: dict[str, Any] | None) -> None:
        super().__init__(faults)
        self.mended = mended


def toml_faults(text: str, name: str) -> TomlFaults:
    """The faults of a text that TOML cannot read: file, line, the line's text, and what was probably meant.

    >>> print(toml_faults('years = 5\\nvalue = 1,200\\nstart = 01/04/2014', "m.toml"))
    m.toml: line 2 (`value = 1,200`): a number has no commas between its digits; write 1200
    m.toml: line 3 (`start = 01/04/2014`): a date is written year-month-day; write 2014-04-01
    """
    lines = text.split("\n")
    given, told, clear = list(lines), dict[int, str](), True
    mended: dict[str, Any] | None = None
    for _ in range(MOST):
        try:
            mended = tomllib.loads("\n".join(lines))
            break
        except tomllib.TOMLDecodeError as error:
            fault = _diagnosed(lines, str(error))
        if fault.line in told:
            break  # the same line again: what was meant is not known
        told[fault.line] = f"{name}: line {fault.line + 1} ({_shown(given[fault.line])}): {fault.sentence}"
        if fault.line == len(given) - 1 and is_open(given[-1]):
            told[fault.line] += "; it is the last line: the file is not complete, valid TOML if it was cut off there"
        clear = clear and fault.meant is not None and UNCLEAR not in fault.meant
        lines[fault.line] = fault.meant if fault.meant is not None else _left_out(lines[fault.line])
        lines[fault.line + 1 : fault.line + 1 + fault.more] = [""] * fault.more
    faults = [told[at] for at in sorted(told)] or [f"{name}: is not complete, valid TOML"]
    return TomlFaults(faults, mended if clear else None)


def _shown(line: str) -> str:
    plain = line.strip()
    return f"`{plain if len(plain) <= SHOWN else plain[: SHOWN - 1].rstrip() + '…'}`" if plain else "empty"


def _left_out(line: str) -> str:
    """A line without what cannot be read: the head of a table keeps its place, so that its keys are not another's."""
    name = re.sub(r"[^A-Za-z0-9_.]", "", line.partition("#")[0])
    return f"[[{name}]]" if HEADER.match(line) and re.fullmatch(KEY, name) else ""


def _diagnosed(lines: Sequence[str], message: str) -> LineFault:
    """The fault behind the reader's message."""
    found = _AT.match(message)
    said, at = (found[1], int(found[2]) - 1 if found[2] else len(lines) - 1) if found else (message, 0)
    at = min(at, len(lines) - 1)
    for fault in chain(
        line_faults(lines, at, said, bool(_open_brackets(lines, at))), _opened(lines, at), _taken(lines, at, said)
    ):
        return fault
    if "Illegal character" in said or "invalid character" in said:
        open_text = LineFault(at, "a text is not closed; write a quotation mark at its end")
        return strange_character(lines, at) or open_text
    words = next((words for theirs, words in WORDS.items() if said.startswith(theirs)), said)
    if not found or not found[2]:
        at = next((k for k in range(at, -1, -1) if lines[k].strip()), at)
        return LineFault(at, f"the file is not complete, valid TOML: it breaks off here ({words})")
    return LineFault(at, f"is not complete, valid TOML: {words}")


# ---- what began on an earlier line
def _opened(lines: Sequence[str], at: int) -> Iterator[LineFault]:
    """A list, a table in { } or a long text that an earlier line opened and none has closed."""
    stack, long = _open_brackets(lines, at), _open_text(lines, at)
    if long is not None:
        yield LineFault(long[1], f"a text that begins with {long[0]} is not closed; write {long[0]} at its end")
    elif stack:
        char, k = stack[0]
        if char == "{":
            yield LineFault(k, "a table in { } stands on one line; write } at its end")
        else:
            yield LineFault(
                k, "a list that begins with [ is not closed; write ] at its end", f"{lines[k].rstrip(' ,')}]"
            )


def _open_text(lines: Sequence[str], at: int) -> tuple[str, int] | None:
    """The long text that is still open before a line, by its mark, and the line where it begins."""
    found: tuple[str, int] | None = None
    for k, line in enumerate(lines[:at]):
        for mark in ('"""', "'''"):
            if (found is None or found[0] == mark) and line.count(mark) % 2:
                found = (mark, k) if found is None else None
    return found


def _open_brackets(lines: Sequence[str], at: int) -> list[tuple[str, int]]:
    """The brackets that are still open before a line, outermost first, each with the line where it stands."""
    stack: list[tuple[str, int]] = []
    for k, line in enumerate(lines[:at]):
        masked, _ = masked_line(line)
        if HEADER.match(line) and re.match(r"^\s*\[+[^\[\]=,]*\]+\s*$", masked) and not stack:
            continue
        for char in masked:
            if char in "[{":
                stack.append((char, k))
            elif char in "]}" and stack:
                stack.pop()
    return stack


# ---- what is there twice
def _taken(lines: Sequence[str], at: int, said: str) -> Iterator[LineFault]:
    """A key or a table that an earlier line has given already."""
    line = lines[at]
    if not said.startswith(("Cannot", "Duplicate")):
        return
    if HEADER.match(line):
        name = line.partition("#")[0].strip().strip("[] ")
        for k in range(at):
            if HEADER.match(lines[k]) and lines[k].partition("#")[0].strip().strip("[] ") == name:
                many = "[[" in line or "[[" in lines[k]
                what = (
                    f"write [[{name}]] in both, since there are several"
                    if many
                    else "put what belongs to it in one place"
                )
                yield LineFault(at, f"the table {name} is there already, in line {k + 1}; {what}")
                return
        yield LineFault(at, f"the table {name} is given already in another way, further up; give it once")
        return
    key = re.match(rf"^\s*({KEY}|\"[^\"]*\")\s*=", line)
    inner = re.search(r"Duplicate inline table key '([^']*)'", said)
    if inner is not None:
        yield LineFault(at, f"the key {inner[1]} is there twice between {{ and }}; leave one out")
    if key is None:
        return
    for k in range(at - 1, -1, -1):
        if HEADER.match(lines[k]) and "=" not in masked_line(lines[k])[0]:
            break
        if re.match(rf"^\s*{re.escape(key[1])}\s*=", lines[k]):
            yield LineFault(at, f"the key {key[1]} is there already, in line {k + 1}; leave one out")
            return
    yield LineFault(at, f"the key {key[1]} is given already in another way, further up; give it once")


def tables_of(text: str, name: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises BadInput with every fault in plain words."""
    text = re.sub(r"\r\n?", "\n", text)  # lines may end as on any machine
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise toml_faults(text, name) from error


def read_mended(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The tables of a TOML file, and what is wrong where it is clear how they were meant: so that what else is wrong
    can be told as well. Raises BadInput as :func:`read_toml` where it is not clear."""
    try:
        return read_toml(path), []
    except TomlFaults as error:
        if error.mended is None:
            raise
        return error.mended, list(error.faults)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises BadInput with every fault in plain words."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such file") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    if path.suffix.lower() in TABLES:
        raise BadInput(
            f"{path}: is a table; a model, an experiment or a calibration is a .toml file, and simcare forecast takes"
            " a series"
        )
    for begins, what in OTHER_FILES.items():
        if raw.lstrip()[: len(begins)].lower() == begins:
            raise BadInput(f"{path}: is {what}, not a text in TOML")
    found = plain_text(raw)
    if found.odd_byte is not None:
        line = raw[: found.odd_byte].count(b"\n")
        char = found.text[len(raw[: found.odd_byte].decode("utf-8-sig"))]
        shown = _shown(found.text.split("\n")[line])
        raise BadInput(
            f"{path}: line {line + 1} ({shown}): is not UTF-8 text ('{char}' is saved as {found.encoding}); save the"
            " file again as UTF-8"
        )
    tables = tables_of(found.text, str(path))
    if not tables:
        raise BadInput(f"{path}: is empty, or holds comments only")
    return tables


__all__ = ["TomlFaults", "read_mended", "read_toml", "tables_of", "toml_faults"]
