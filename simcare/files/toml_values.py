"""What a value that TOML cannot read was meant to be: 1,200, 40%, £30, 01/04/2014, yes, “Kent”."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import NamedTuple

from simcare.demand.dates import month_called, read_date

TRUE, FALSE = ("true", "yes", "on", "y"), ("false", "no", "off", "n")
NOTHING = ("none", "null", "nil", "n/a", "na", "nan", "tbc", "tbd", "-", "?", "…", "...", "x")
CURLY = "“”„‟″«»‘’‚‛′`´"  # RUF001: these are the marks that are looked for
TIMES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)"
_GROUPED = r"[-+]?\d{1,3}(?:[,' ]\d{3})+(?:\.\d+)?"


class MeantValue(NamedTuple):
    """What to write instead, as a sentence and as the text of the value; no text where that is not clear."""

    sentence: str
    value: str | None = None


def meant_value(text: str) -> MeantValue | None:
    """What a text was meant to be; None where it is a value that TOML can read, or no kind of value that is known.

    >>> meant_value("1,000,000")
    MeantValue(sentence='a number has no commas between its digits; write 1000000', value='1000000')
    >>> meant_value("40%").value, meant_value("01/04/2014").value, meant_value("yes").value, meant_value("“Kent”").value
    ('0.4', '2014-04-01', 'true', '"Kent"')
    """
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", text.replace("\u00a0", " ")).strip()
    if is_toml(text):
        return None
    if plain != text.strip() and is_toml(plain):
        return MeantValue(f"a dash or a space in it is not that of the keyboard; write {plain}", plain)
    for kind in _KINDS:
        found = kind(plain)
        if found is not None and (found.value is None or is_toml(found.value)):
            return found
    return None


def meant_text(text: str) -> MeantValue | None:
    """What one name of a list was meant to be; None where it is a text already.

    >>> meant_text("11-24").value
    '"11-24"'
    """
    return None if text[:1] in ("'", '"') and is_toml(text) else _curly(text) or _text(text)


def is_toml(text: str) -> bool:
    """Whether a text is a value that TOML reads."""
    try:
        tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return False
    return "\n" not in text


def _number(text: str) -> str | None:
    """A number as TOML has it, from one with thousands, without its nought, or with noughts before it."""
    if re.fullmatch(_GROUPED, text):
        text = re.sub(r"[,' ]", "", text)
    found = re.fullmatch(r"([-+]?)0*(\d*)\.?(\d*)", text)
    if found is None or not (found[2] or found[3] or "0" in text):
        return None
    return f"{found[1].replace('+', '')}{found[2] or '0'}" + (f".{found[3]}" if found[3] else "")


def _scaled(number: str, by: float) -> str:
    return f"{float(number) * by:.12g}" if abs(float(number) * by) < 1e12 else number


def _curly(text: str) -> MeantValue | None:
    if not any(mark in text for mark in CURLY):
        return None
    inner = text.strip(CURLY + "\"'").replace('"', "'")
    return MeantValue(f'its quotation marks are curly; write straight ones: "{inner}"', f'"{inner}"')


def _date(text: str) -> MeantValue | None:
    if re.fullmatch(r"[\d.]+|\d+ \d+", text) and text.count(".") != 2:
        return None  # a number
    if re.fullmatch(r"\d{4}/\d{2}", text) and int(text[5:]) == (int(text[:4]) + 1) % 100:
        return MeantValue(f'a financial year is a text; write "{text}"', f'"{text}"')
    try:
        date = read_date(text.strip("'\""))
    except ValueError as error:
        if not str(error):
            return None
        try:
            date = read_date(text.strip("'\""), american=True)
        except ValueError:
            return MeantValue(f"{error}; a date is written year-month-day, such as 2014-04-01")
    whole = f"{date.year:04d}-{date.month:02d}-{date.day or 1:02d}"
    return MeantValue(f"a date is written year-month-day; write {whole}", whole)


def _money(text: str) -> MeantValue | None:
    each = r"(?: ?(?:p\.?[aw]\.?|pcm|(?:a|an|per|each|/) ?\w*))?"
    found = re.fullmatch(rf"(-?) ?[£€$] ?(-?(?:{_GROUPED}|{_NUMBER})) ?({'|'.join(TIMES)})?{each}", text, re.IGNORECASE)
    number = _number(found[2]) if found else None
    if found is None or number is None:
        return None
    value = f"{found[1]}{number}"
    if found[3]:
        value = _scaled(value, TIMES[found[3].lower()])
    return MeantValue(f"a sum of money is a number without a sign or unit; write {value}", value)


def _percent(text: str) -> MeantValue | None:
    found = re.fullmatch(rf"({_NUMBER}) ?(?:%|per ?cent|percent|pc)(?: ?p\.?a\.?| (?:a|per) \w+)?", text, re.IGNORECASE)
    number = _number(found[1]) if found else None
    if found is None or number is None:
        return None
    value = _scaled(number, 0.01)
    return MeantValue(f"a share is a number from 0 to 1; write {value} for {found[1]}%", value)


def _grouped(text: str) -> MeantValue | None:
    if not re.fullmatch(_GROUPED, text):
        return None
    mark = "commas" if "," in text else "spaces" if " " in text else "marks"
    return MeantValue(f"a number has no {mark} between its digits; write {_number(text)}", _number(text))


def _large(text: str) -> MeantValue | None:
    found = re.fullmatch(rf"({_GROUPED}|{_NUMBER}) ?(k|m|mn|million|bn|billion|thousand)", text, re.IGNORECASE)
    number = _number(found[1]) if found else None
    if found is None or number is None:
        return None
    value = _scaled(number, TIMES[found[2].lower()])
    return MeantValue(f"a number is written in full; write {value}", value)


def _with_unit(text: str) -> MeantValue | None:
    if re.fullmatch(r"\d{1,2}(st|nd|rd|th)? [a-z]{3,9}", text, re.IGNORECASE) and month_called(text.split()[1]):
        return MeantValue("a date needs its year; it is written year-month-day, such as 2014-04-01")
    found = re.fullmatch(rf"(?:c\.?|approx\.?|about|~|circa)? ?({_GROUPED}|{_NUMBER}) ?([a-z/ ]*)", text, re.IGNORECASE)
    number = _number(found[1]) if found else None
    if found is None or number is None:
        return None
    unit = "without words beside it; what it is counted in is part of the key" if found[2] else "alone"
    return MeantValue(f"a number stands {unit}; write {number}", number)


def _shaped(text: str) -> MeantValue | None:
    found = re.fullmatch(r"([-+]?\d+),(\d{1,2})", text)
    if found:
        return MeantValue(f"a decimal has a point, not a comma; write {found[1]}.{found[2]}", f"{found[1]}.{found[2]}")
    if not re.fullmatch(_NUMBER, text) or (number := _number(text)) is None:
        return None
    bare = text.lstrip("+-")
    need = "needs a digit before its point" if bare[0] == "." else "needs a digit after its point"
    return MeantValue(
        f"a number {need if '.' in (bare[0], bare[-1]) else 'does not begin with 0'}; write {number}", number
    )


def _range(text: str) -> MeantValue | None:
    found = re.fullmatch(rf"({_NUMBER}) ?(?:-|to|–) ?({_NUMBER})", text, re.IGNORECASE)
    if found is None:
        return None
    both = f"low = {_number(found[1])}, high = {_number(found[2])}"
    return MeantValue(f"a value is one number; give the ends of a range beside it: {both}")


def _worked_out(text: str) -> MeantValue | None:
    found = re.fullmatch(rf"=?({_NUMBER}) ?([*/x×+]) ?({_NUMBER})", text)
    if found is None:
        return None
    left, right = float(found[1]), float(found[3])
    if found[2] == "/" and right == 0:
        return None
    value = f"{left / right if found[2] == '/' else left + right if found[2] == '+' else left * right:.10g}"
    return MeantValue(f"nothing is worked out in a file; write {value}", value)


def _word(text: str) -> MeantValue | None:
    if text.lower() in TRUE or text.lower() in FALSE:
        value = "true" if text.lower() in TRUE else "false"
        return MeantValue(f"yes and no are true and false, in small letters; write {value}", value)
    if text == "" or text.lower() in NOTHING:
        return MeantValue("there is no value after the =; give one, or leave the key out")
    return None


def _text(text: str) -> MeantValue | None:
    if text[:1] in "[{" or text.count('"') > 2:
        return None
    inner = text.strip("\"'")
    if text.startswith(('"', "'")) and len(text) > 1 and text[-1] == text[0]:
        inner = inner.replace("\\", "/")
        if is_toml(f'"{inner}"') and "\\" in text:
            return MeantValue(f'a \\ in a text is a sign of its own; write "{inner}"', f'"{inner}"')
        return None
    if not re.search(r"\w", inner) or any(mark in inner for mark in '={}[]#"'):
        return None
    need = "a quotation mark is missing" if inner != text else "a text stands in quotation marks"
    return MeantValue(f'{need}; write "{inner}"', f'"{inner}"')


_KINDS: tuple[Callable[[str], MeantValue | None], ...] = (
    _curly,
    _word,
    _money,
    _percent,
    _grouped,
    _shaped,
    _date,
    _range,
    _large,
    _worked_out,
    _with_unit,
    _text,
)

__all__ = ["CURLY", "MeantValue", "is_toml", "meant_text", "meant_value"]
