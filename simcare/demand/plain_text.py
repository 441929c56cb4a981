"""The text of a file whatever program saved it: UTF-8, UTF-16 (Notepad's "Unicode") or Windows-1252."""

from __future__ import annotations

import codecs
from typing import NamedTuple

UTF8, UTF16, WINDOWS = "UTF-8", "UTF-16", "Windows-1252"


class PlainText(NamedTuple):
    """A text, the name of its encoding, and where the bytes begin that are no UTF-8 (None where all are)."""

    text: str
    encoding: str
    odd_byte: int | None = None


def plain_text(raw: bytes) -> PlainText:
    """The text of some bytes. Bytes that are no UTF-8 are read as Windows-1252, which gives every byte a character.

    >>> plain_text("Ynys Môn".encode("utf-16")).text, plain_text("Ynys Môn".encode("cp1252"))
    ('Ynys Môn', PlainText(text='Ynys Môn', encoding='Windows-1252', odd_byte=6))
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return PlainText(raw.decode("utf-16", errors="replace"), UTF16)
    if len(raw) >= 4 and 0 in (raw[0], raw[1]) and raw[:4].count(0) == 2:
        return PlainText(raw.decode("utf-16-le" if raw[1] == 0 else "utf-16-be", errors="replace"), UTF16)
    try:
        return PlainText(raw.decode("utf-8-sig"), UTF8)
    except UnicodeDecodeError as error:
        return PlainText(raw.decode("cp1252", errors="replace"), WINDOWS, error.start)


__all__ = ["UTF8", "UTF16", "WINDOWS", "PlainText", "plain_text"]
