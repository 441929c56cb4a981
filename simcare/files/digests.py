"""Digests (SHA-256): how a file, a value, or what a result rests on is told from another."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel

from simcare.files.toml_faults import read_toml


def digest(*parts: str | bytes) -> str:
    """The digest of texts and bytes, one after the other.

    >>> digest("a", b"b") == digest("ab")
    True
    """
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else part)
    return found.hexdigest()


def fingerprint(value: BaseModel) -> str:
    """The digest of everything in a model, an experiment or a fit."""
    return digest(value.model_dump_json(by_alias=True))


def file_digest(path: Path) -> str:
    """The digest of what a file says: of a TOML file its content, so that a comment or the order of keys does not
    count; of others the text, whatever its line ends."""
    if path.suffix == ".toml":
        return digest(json.dumps(read_toml(path), sort_keys=True, default=str))
    return digest(path.read_bytes().replace(b"\r\n", b"\n"))
