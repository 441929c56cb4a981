"""One line of a file that TOML cannot read: what is wrong on it, and the line as it was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simcare.files.toml_values import CURLY, meant_text, meant_value

HEADER = re.compile(r"^\s*\[")
UNCLEAR = '"?"'  # stands for a value that nobody can guess
KEY = r"[A-Za-z0-9_\-\0]+(?:\.[A-Za-z0-9_\-\0]+)*"


class LineFault(NamedTuple):
    """One fault: the number of its line (from 0), a sentence, and the line as it was meant (None: not clear).

    ``more`` lines after it belong to it, and are in ``meant``.
    """

    line: int
    sentence: str
    meant: str | None = None
    more: int = 0


def line_faults(lines: Sequence[str], at: int, said: str, inside: bool) -> Iterator[LineFault]:
    """Faults that can be seen on the line where the reader stopped, the most telling first."""
    line = lines[at]
    masked, open_quote = masked_line(line)
    if HEADER.match(line) and "=" not in masked:
        yield from _header(line, masked, at)
        return
    yield from _values(line, masked, at, inside)
    if (strange := strange_character(lines, at)) is not None:
        yield strange
    if open_quote:
        yield _one_quote(line, at)
    yield from _structure(lines, masked, at, said)


def masked_line(line: str) -> tuple[str, bool]:
    """A line with every character of a text as \\0 and comments as spaces; and whether a text is left open.

    >>> masked_line('a = "b, c" # d')
    ('a = \\x00\\x00\\x00\\x00\\x00\\x00    ', False)
    """
    out, quote, k = list(line), "", 0
    while k < len(line):
        char = line[k]
        if quote:
            out[k] = "\0"
            if char == "\\" and quote == '"' and k + 1 < len(line):
                out[k + 1] = "\0"
                k += 1
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote, out[k] = char, "\0"
        elif char == "#":
            out[k:] = " " * (len(line) - k)
            break
        k += 1
    return "".join(out), bool(quote)


def _header(line: str, masked: str, at: int) -> Iterator[LineFault]:
    found = re.match(r"^(\s*)(\[+)\s*([^\[\]]*)(\]*)\s*(.*?)\s*$", line.partition("#")[0])
    if found is None:
        return
    opened, name, closed = found[2], found[3].strip(), found[4]
    bare = name if re.fullmatch(KEY, name.replace('"', "\0")) else f'"{name}"'
    whole = f"{'[[' if len(opened) > 1 else '['}{bare}{']]' if len(opened) > 1 else ']'}"
    if not name:
        yield LineFault(at, "a table has a name, such as [[strategies]]")
    elif len(opened) != len(closed) or len(opened) > 2:
        yield LineFault(at, f"the brackets do not match; write {whole}", whole)
    elif found[5]:
        yield LineFault(at, f"what follows {whole} stands on the next line", whole)
    elif bare != name:
        yield LineFault(at, f"a name of several words stands in quotation marks; write {whole}", whole)


def _values(line: str, masked: str, at: int, inside: bool) -> Iterator[LineFault]:
    """A value that TOML cannot read, with the line as it was meant; inside a list the line may hold values alone."""
    sentences, mended = [], line
    spans = list(value_spans(masked))
    if inside and "=" not in masked:
        spans = list(_elements(masked, 0, len(masked)))
    names = len(spans) > 1 and re.match(r"^\s*\w+\s*=\s*\[[^=]*[A-Za-z]", masked)  # a list of names
    for begin, end in reversed(spans):
        text = line[begin:end]
        meant = meant_text(text) if names else meant_value(text)
        if meant is not None:
            sentences.append(meant.sentence)
            mended = mended[:begin] + (UNCLEAR if meant.value is None else meant.value) + mended[end:]
    if sentences:
        yield LineFault(at, "; ".join(dict.fromkeys(reversed(sentences))), mended)


def value_spans(masked: str) -> Iterator[tuple[int, int]]:
    """Where the values of a line stand, those of lists one by one; tables in { } are passed into."""
    keys = list(re.finditer(rf"(?<![^\s{{,]){KEY}\s*=(?!=)", masked))
    ends = [*(key.start() for key in keys[1:]), *[len(masked) + 1] * bool(keys)]
    for key, end in zip(keys, ends, strict=True):
        begin = key.end() + len(masked[key.end() : end]) - len(masked[key.end() : end].lstrip())
        if masked[begin : begin + 1] == "{":
            continue
        if masked[begin : begin + 1] == "[":
            close = masked.find("]", begin, end)
            yield from _elements(masked, begin + 1, close if close >= 0 else end)
            continue
        closing = re.search(r"\s*[}\]][\s}\],]*$", masked[begin:end])
        if begin >= end:
            continue  # a key follows at once: told as such
        stop = begin + closing.start() if closing else begin + len(masked[begin:end].rstrip(" \t,;"))
        yield begin, max(stop, begin)


def _elements(masked: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    at = begin
    for part in masked[begin:end].split(","):
        plain = part.strip(" \t[]{}")
        if plain and "=" not in plain:
            first = at + part.index(plain)
            yield first, first + len(plain)
        at += len(part) + 1


def _structure(lines: Sequence[str], masked: str, at: int, said: str) -> Iterator[LineFault]:
    """What is wrong between the values of a line, or around them."""
    line = lines[at]
    yield from _not_a_pair(line, masked, at)
    yield from _inside_table(lines, masked, at)
    if masked.count("[") > masked.count("]") and "Unclosed array" in said:
        yield LineFault(at, "a list that begins with [ is not closed; write ] at its end", f"{line.rstrip()}]")
    if masked.count("}") > masked.count("{") or masked.count("]") > masked.count("["):
        yield LineFault(at, "there is a closing bracket more than there are opening ones; take it away")
    if masked.strip() and "=" not in masked and re.match(r"^\s*[A-Za-z\0]", masked):
        yield LineFault(at, "this is neither key = value, nor [a table], nor a comment, which begins with #")


def _not_a_pair(line: str, masked: str, at: int) -> Iterator[LineFault]:
    """A line that is no key = value: a colon, two signs, a comment of another language, several values, a loose end."""
    if colon := re.search(rf"(?:^|[{{,])\s*({KEY})\s*:\s*(?=\S)", masked):
        mended = f"{line[: colon.end(1)]} = {line[colon.end() :]}"
        yield LineFault(at, "between a key and its value stands =, not ':'", mended)
    if twice := re.search(r"=\s*=", masked):
        yield LineFault(
            at, "between a key and its value stands one =", f"{line[: twice.start()]}={line[twice.end() :]}"
        )
    if re.match(r"^\s*(//|--|;|%|/\*|\*|<!--)", masked):
        yield LineFault(at, "a comment begins with #", f"# {line}")
    if round_ := re.match(rf"^\s*\(+({KEY})\)+\s*$", masked):
        yield LineFault(at, f"a table stands in square brackets; write [{round_[1]}]", f"[{round_[1]}]")
    if re.search(r"=\s*\(", masked):
        mended = re.sub(r"\)\s*$", " }", re.sub(r"=\s*\(", "= {", line, count=1))
        yield LineFault(at, "a table stands in { }, not in ( )", mended)
    if spaced := re.match(r"^\s*([A-Za-z0-9_\-]+(?: +[A-Za-z0-9_\-&/]+)+)\s*=", line):
        mended = line.replace(spaced[1], f'"{spaced[1]}"', 1)
        yield LineFault(at, f'a key of several words stands in quotation marks; write "{spaced[1]}" =', mended)
    if several := re.match(rf"^\s*{KEY}\s*=\s*(?={KEY}\s*=)", masked):
        mended = f"{line[: several.end()]}{{ {line[several.end() :].strip()} }}"
        yield LineFault(at, "several keys after one = stand in { }", mended)
    yield from _loose_end(line, masked, at)


def _loose_end(line: str, masked: str, at: int) -> Iterator[LineFault]:
    """More on the line than one key = value."""
    if not (pair := re.match(rf"^\s*{KEY}\s*=\s*", masked)) or not _closed(masked):
        return
    value = masked[pair.end() :].rstrip()
    if ending := re.search(r"\s*[;,]$", value):
        mended = line[: pair.end() + ending.start()]
        yield LineFault(at, f"a line does not end with '{ending[0].strip()}'; take it away", mended)
    given = line[pair.end() : pair.end() + len(value)]
    if re.fullmatch(r"\0+(\s*,\s*\0+)+", value):
        yield LineFault(at, f"several values stand in a list; write [{given}]", f"{line[: pair.end()]}[{given}]")
    elif value.startswith("\0") and value.strip("\0") and given[-1] == given[0] and not re.search(r"\]|\}", value):
        other = "'" if given[0] == '"' else '"'
        inner = given[1:-1].replace('"', "'")
        how = "single ones within it" if other == "'" else "double ones around it"
        mended = f'{line[: pair.end()]}"{inner}"'
        yield LineFault(at, f'a text that holds quotation marks has {how}; write "{inner}"', mended)
    elif value.startswith("\0") and value.strip("\0"):
        yield LineFault(at, "there is more on the line than one key = value; a comment begins with #")


def _inside_table(lines: Sequence[str], masked: str, at: int) -> Iterator[LineFault]:
    """What is wrong in a list or between { and }: commas, and where it ends."""
    line = lines[at]
    if trailing := re.search(r",\s*\}", masked):
        mended = line[: trailing.start()] + line[trailing.start() + 1 :]
        yield LineFault(at, "there is a comma before the }; take it away", mended)
    inner = masked.find("{") + 1
    if inner and (lacking := re.search(rf"[^\s,{{=;]\s+(?={KEY}\s*=)", masked[inner:])):
        k = inner + lacking.start() + 1
        yield LineFault(at, "a comma is missing between two keys", f"{line[:k]},{line[k:]}")
    if inner and (other := re.search(rf";\s*(?={KEY}\s*=)", masked[inner:])):
        k = inner + other.start()
        yield LineFault(at, "between two keys stands a comma, not ';'", f"{line[:k]}, {line[k + 1 :]}")
    if texts := re.search(r"\0(\s+)\0", masked.partition("=")[2].partition("[")[2]):
        k = masked.index("[", masked.index("=")) + 1 + texts.start(1)
        yield LineFault(at, "a comma is missing between two texts of a list", f"{line[:k]},{line[k:]}")
    if masked.count("{") > masked.count("}"):
        if "}" in line[len(masked.rstrip()) :]:
            yield LineFault(at, "what follows # is a comment, so the } after it is not read; write # after the }")
        yield _over_lines(lines, masked, at)


def _over_lines(lines: Sequence[str], masked: str, at: int) -> LineFault:
    """A table in { } that does not end on its line."""
    sentence, whole = "a table in { } stands on one line; write } at its end", lines[at][: len(masked.rstrip())]
    if whole[-1] not in ",{":
        return LineFault(at, sentence, f"{whole} }}")
    for k in range(at + 1, len(lines)):
        more, _ = masked_line(lines[k])
        whole += f" {lines[k][: len(more.rstrip())].strip()}"
        if _closed(masked_line(whole)[0]):
            return LineFault(
                at, "a table in { } stands on one line; put it on one", re.sub(r",\s*\}", " }", whole), k - at
            )
    return LineFault(at, sentence)


def is_open(line: str) -> bool:
    """Whether a line ends within a text, a list or a table, or before the value of its key.

    >>> is_open('a = [1, 2'), is_open('a = "b'), is_open("a ="), is_open("a = 1")
    (True, True, True, False)
    """
    masked, open_quote = masked_line(line)
    return open_quote or not _closed(masked) or not re.search(r"=\s*\S|^\s*(\[.*\])?\s*$", masked)


def _closed(masked: str) -> bool:
    return masked.count("[") == masked.count("]") and masked.count("{") == masked.count("}")


def strange_character(lines: Sequence[str], at: int) -> LineFault | None:
    """A character that no keyboard makes on purpose: a curly quotation mark, a space that does not break, a zero."""
    masked, _ = masked_line(lines[at])
    for char in masked:
        if char in CURLY:
            mended = "".join('"' if c in CURLY else c for c in lines[at])
            return LineFault(at, 'its quotation marks are curly; write straight ones: "', mended)
        if char == "\0" or (char.isprintable() and ord(char) < 128) or char == "\t":
            continue
        told = "a space that is not that of the keyboard" if char.isspace() or not char.isprintable() else f"'{char}'"
        mended = lines[at].replace(char, " " if char.isspace() else "")
        return LineFault(at, f"there is {told} outside a text (U+{ord(char):04X}); take it away", mended)
    hidden = next((c for c in lines[at] if ord(c) < 32 and c != "\t"), None)
    if hidden is not None:
        return LineFault(
            at,
            f"there is a character that cannot be seen (U+{ord(hidden):04X}); take it away",
            lines[at].replace(hidden, ""),
        )
    return None


def _one_quote(line: str, at: int) -> LineFault:
    """A text that is opened and not closed, or closed too early by an apostrophe."""
    apostrophe = re.match(r"^(\s*[A-Za-z0-9_\-]+\s*=\s*)'(.*'.*)'\s*$", line)
    if apostrophe is not None and '"' not in apostrophe[2]:
        sentence = f'a text that holds an apostrophe stands in double quotation marks; write "{apostrophe[2]}"'
        return LineFault(at, sentence, f'{apostrophe[1]}"{apostrophe[2]}"')
    return LineFault(at, 'a quotation mark is missing; a text stands between two: "…"')


__all__ = [
    "HEADER",
    "KEY",
    "UNCLEAR",
    "LineFault",
    "is_open",
    "line_faults",
    "masked_line",
    "strange_character",
    "value_spans",
]
