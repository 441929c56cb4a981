"""What is wrong with a command as it was typed, in the project's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

WORDS = (  # of the library that reads options
    (r"Input should be greater than or equal to (\S+)", r"must be \1 or more"),
    (r"Input should be greater than (\S+)", r"must be above \1"),
    (r"Input should be less than or equal to (\S+)", r"must be \1 or less"),
    (r"Input should be less than (\S+)", r"must be below \1"),
    (r"Input should be a valid integer.*", "should be a whole number"),
    (r"Input should be a valid number.*", "should be a number"),
    (r"Input should be .*", "is not what this option takes"),
)


def usage_sentence(error: Any, typed: Sequence[str]) -> str | None:
    """A sentence on a command that cannot be read; None where the library's own will do.

    >>> class Wrong(Exception):
    ...     message, ctx = "Got unexpected extra argument(s) (plan.toml)", None
    >>> print(usage_sentence(Wrong(), ["check", "my", "plan.toml"]))
    plan.toml: is one word too many; a name of several words stands in quotation marks, such as "my plan.toml"
    """
    message = str(getattr(error, "message", ""))
    if extra := re.fullmatch(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message):
        word = extra[1].split()[0]
        at = typed.index(word) if word in typed else 0
        whole = f"{typed[at - 1]} {word}" if at > 1 and not typed[at - 1].startswith("-") else f"my {word}"
        return f'{word}: is one word too many; a name of several words stands in quotation marks, such as "{whole}"'
    for theirs, ours in WORDS:
        if re.match(theirs, message):
            option = next(iter(getattr(getattr(error, "param", None), "opts", ())), "an option")
            return f"{option}: {re.sub(theirs, ours, message)}{_got(option, typed)}"
    return None


def _got(option: str, typed: Sequence[str]) -> str:
    """What was typed for an option."""
    for k, word in enumerate(typed):
        if word == option and k + 1 < len(typed):
            return f", got {typed[k + 1]!r}"
        if word.startswith(f"{option}="):
            return f", got {word.partition('=')[2]!r}"
    return ""
