"""What pydantic finds wrong in a file, in the project's words: each kind of error a sentence of its own.

>>> in_words({"type": "float_type", "loc": ("value",), "input": "1,200", "msg": ""})
"should be a number, got '1,200'; a number has no commas between its digits; write 1200"
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simcare.files.toml_values import meant_value
from simcare.model.nearmiss import unknown
from simcare.model.number import GRADES

Fault = Mapping[str, Any]  # an error as pydantic lists it
TABLE = '{ value = 1, source = "assumption", grade = "D" }'
PATH = "should be part.name.field with points between, such as services.home_care.review_every_days"
FORMS = {  # what a text should look like, by a piece of its pattern
    r"^[a-z_]+\..+\.[a-z_]+$": PATH,
    r"^\S(.*\S)?$": "has a space at its beginning or its end, or is empty",
    r"^[A-Za-z0-9_][A-Za-z0-9_. -]*$": "names a folder of results: letters, digits, spaces and . _ - only",
    r"^\d{4}/\d{2}$": "should be a financial year such as 2012/13",
    r"^\d{4}-(0[1-9]|1[0-2])$": "should be a month such as 2013-03",
}
NUMBERS = ("Number", "Numbers", "DatedNumber", "Step")
SEVERAL = "has a table for each row"


def in_words(fault: Fault) -> str:
    """One error in words, without its place."""
    ctx = fault.get("ctx") or {}
    if (words := WORDS.get(fault["type"])) is not None:
        return words(fault, ctx)
    return str(ctx["error"]) if "error" in ctx else f"is not what is expected here{_got(fault)}"


def _got(fault: Fault) -> str:
    value = fault.get("input")
    if isinstance(value, bool):
        return f", got {str(value).lower()}"
    if isinstance(value, dt.date):
        return f", got {value}"
    if isinstance(value, list | tuple):
        return ", got a list"
    if isinstance(value, Mapping):
        return ", got a table"
    return f", got {value!r}" if value is None or isinstance(value, str | int | float) else ""


def _meant(fault: Fault, quoted: bool = True) -> str:
    """What a text was meant to be, where a number, a date or a truth is wanted."""
    value = fault.get("input")
    if not isinstance(value, str):
        return ""
    found = meant_value(value)
    if found is not None and found.value is not None and found.value.strip('"') != value:
        return f"; {found.sentence}"
    return f"; write {value} without quotation marks" if quoted and _is_bare(value) else ""


def _is_bare(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return value in ("true", "false")


# ---- each kind of error
def _number(what: str) -> Callable[[Fault, Mapping[str, Any]], str]:
    return lambda fault, ctx: f"should be {what}{_got(fault)}{_meant(fault)}"


def _limit(words: str, name: str) -> Callable[[Fault, Mapping[str, Any]], str]:
    def said(fault: Fault, ctx: Mapping[str, Any]) -> str:
        if isinstance(ctx[name], dt.date | str):
            words_of_dates = {"ge": "or later", "gt": "or later", "le": "or earlier", "lt": "or earlier"}
            return f"must be {ctx[name]} {words_of_dates[name]}{_got(fault)}"
        return f"{words.format(f'{ctx[name]:,}')}{_got(fault)}"

    return said


def _date(fault: Fault, ctx: Mapping[str, Any]) -> str:
    timed = "; leave the time of day out" if isinstance(fault.get("input"), dt.datetime) else ""
    return f"should be a date such as 2013-04-01{_got(fault)}{_meant(fault, quoted=False)}{timed}"


def _text(fault: Fault, ctx: Mapping[str, Any]) -> str:
    value = fault.get("input")
    how = f'; write "{value}"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return f"should be a text in quotation marks{_got(fault)}{how}"


def _form(fault: Fault, ctx: Mapping[str, Any]) -> str:
    return f"{FORMS.get(ctx['pattern'], 'is not of the form that is expected here')}{_got(fault)}"


def _list(fault: Fault, ctx: Mapping[str, Any]) -> str:
    value, key = fault.get("input"), str(fault["loc"][-1]) if fault["loc"] else ""
    if isinstance(value, Mapping):
        whole = ".".join(part for part in fault["loc"] if isinstance(part, str))
        return f"{SEVERAL}, so its name stands in two pairs of brackets: write [[{whole}]] in place of [{whole}]"
    inner = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else value
    return f"should be a list: write {key} = [{inner}]" if isinstance(value, str | int | float) else "should be a list"


def _too_short(fault: Fault, ctx: Mapping[str, Any]) -> str:
    least, got = ctx["min_length"], ctx["actual_length"]
    if fault["loc"] == ("strategies",):
        return no_strategies()
    return f"has {'none' if got == 0 else got}; it needs {least} or more"


def _too_long(fault: Fault, ctx: Mapping[str, Any]) -> str:
    return f"has {ctx['actual_length']} values, and takes {ctx['max_length']}"


def _table(fault: Fault, ctx: Mapping[str, Any]) -> str:
    value = fault.get("input")
    if ctx.get("class_name") not in NUMBERS:
        return f"should be a table of keys and values{_got(fault)}"
    given = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else "1"
    if isinstance(value, str) and (found := meant_value(value)) is not None and (found.value or "")[:1].isdigit():
        given = str(found.value)
    return f"needs a table such as {TABLE.replace('1', given, 1)}{_got(fault)}"


def _options(fault: Fault, ctx: Mapping[str, Any]) -> str:
    options = [option.strip(" '") for option in str(ctx["expected"]).replace(" or ", ", ").split(",")]
    given = str(fault.get("input"))
    grade = next((grade for grade, word in GRADES.items() if word == given.lower() and grade in options), None)
    return (
        unknown(given, options) if grade is None else f"is a letter: write {grade} for {GRADES[grade]}, got '{given}'"
    )


def _dictionary(fault: Fault, ctx: Mapping[str, Any]) -> str:
    return f'should be a table of names and texts, such as [sources] with returns = "Returns of 2013"{_got(fault)}'


def _missing(fault: Fault, ctx: Mapping[str, Any]) -> str:
    if fault["loc"] == ("strategies",):
        return no_strategies()
    if fault["loc"] and fault["loc"][-1] == "source":
        return 'is required: a key of [sources], or "assumption" with grade "D"'
    if fault["loc"] == ("shrinkage",):
        return "is required: how far an effect of each grade is believed; copy the table of experiments/prevention.toml"
    return "is required"


def no_strategies() -> str:
    """What an experiment needs that has no strategies yet."""
    return (
        "there is none yet; add one: [[strategies]] with name, title, start and what it changes ([[strategies.changes]]"
        " or [[strategies.effects]])"
    )


WORDS: Mapping[str, Callable[[Fault, Mapping[str, Any]], str]] = {
    "missing": _missing,
    "model_type": _table,
    "model_attributes_type": _table,
    "dict_type": _dictionary,
    "tuple_type": _list,
    "too_short": _too_short,
    "too_long": _too_long,
    "literal_error": _options,
    "string_type": _text,
    "string_pattern_mismatch": _form,
    "string_too_short": lambda fault, ctx: "is empty; give a name",
    "string_too_long": lambda fault, ctx: f"is longer than {ctx['max_length']} characters{_got(fault)}",
    "string_unicode": lambda fault, ctx: "holds characters that are no text",
    "float_type": _number("a number"),
    "float_parsing": _number("a number"),
    "finite_number": lambda fault, ctx: f"should be a finite number{_got(fault)}",
    "int_type": _number("a whole number"),
    "int_parsing": _number("a whole number"),
    "int_parsing_size": lambda fault, ctx: "is too large a number",
    "int_from_float": _number("a whole number"),
    "bool_type": _number("true or false"),
    "bool_parsing": _number("true or false"),
    "greater_than_equal": _limit("must be {} or more", "ge"),
    "greater_than": _limit("must be above {}", "gt"),
    "less_than_equal": _limit("must be {} or less", "le"),
    "less_than": _limit("must be below {}", "lt"),
    "date_type": _date,
    "date_parsing": _date,
    "date_from_datetime_parsing": _date,
    "date_from_datetime_inexact": _date,
    "union_tag_not_found": lambda fault, ctx: "is required",
}


# ---- several errors that are one
def without_echoes(faults: Iterable[Fault]) -> list[Fault]:
    """Errors told once: a list is not too short besides where its only row is at fault, what may be one of two kinds of
    word is one word of both, and what stands under a misspelt key is not missing."""
    found = _one_of_both(list(faults))
    misspelt = [fault["loc"] for fault in found if fault["type"] == "extra_forbidden"]

    def is_echo(fault: Fault) -> bool:
        loc = fault["loc"]
        if fault["type"] == "too_short":
            return any(other["loc"][: len(loc)] == loc and other is not fault for other in found)
        return fault["type"] in ("missing", "tuple_type", "model_type", "dict_type") and any(
            key[:-1] == loc[:-1] and f"'{loc[-1]}'" in unknown(str(key[-1]), [str(loc[-1])]) for key in misspelt
        )

    return [fault for fault in found if not is_echo(fault)]


def _one_of_both(faults: Sequence[Fault]) -> list[Fault]:
    """Errors of a value that may be one of two kinds of word, as one error that has the words of both."""
    found: dict[Any, dict[str, Any]] = {}
    for k, fault in enumerate(faults):
        loc = tuple(part for part in fault["loc"] if not (isinstance(part, str) and part.startswith("literal[")))
        if fault["type"] != "literal_error" or loc == fault["loc"]:
            found[k] = {**fault, "loc": loc}
        elif loc in found:
            both = f"{found[loc]['ctx']['expected']}, {fault['ctx']['expected']}"
            found[loc]["ctx"] = {"expected": both}
        else:
            found[loc] = {**fault, "loc": loc}
    return list(found.values())


__all__ = ["WORDS", "in_words", "no_strategies", "without_echoes"]
