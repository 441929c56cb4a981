"""The library of shipped files, and where a file is that another file or a person names."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from simcare.errors import BadInput
from simcare.model.nearmiss import unknown

FOLDERS = ("models", "calibration", "experiments")
KINDS = {"models": "a model", "calibration": "a calibration", "experiments": "an experiment"}
TAKEN_BY = {
    "models": "simcare run takes it",
    "calibration": "simcare calibrate takes it",
    "experiments": "simcare compare takes it",
}


LONGEST = 255  # letters of a file's name, on most systems


def is_a_file(path: Path) -> bool:
    """Whether there is a file at a path; at one that no system could hold there is none.

    >>> is_a_file(Path("x" * 9999))
    False
    """
    try:
        return path.is_file()
    except OSError:
        return False


def library(folder: str) -> Path:
    """Where the shipped files of a folder are: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parents[1]
    inside = package / "library" / folder
    return inside if inside.is_dir() else package.parent / folder


def find_file(name: str | Path, folder: str) -> Path:
    """The file of a path or of a library name.

    >>> find_file("mm-infinity", "models").name
    'mm-infinity.toml'
    """
    path = Path(name)
    if is_a_file(path):
        return path
    shipped = library(folder) / f"{name}.toml"
    if path.suffix != ".toml" and is_a_file(shipped):
        return shipped
    if max(map(len, path.parts), default=0) <= LONGEST and path.is_dir():
        raise BadInput(f"{name}: is a folder, not a file")
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise BadInput(f"{name}: no such file")
    other = next((other for other in FOLDERS if is_a_file(library(other) / f"{name}.toml")), None)
    if other is not None:
        raise BadInput(f"{name}: is {KINDS[other]} of the library, not {KINDS[folder]}; {TAKEN_BY[other]}")
    names = sorted(p.stem for p in library(folder).glob("*.toml"))
    raise BadInput(f"{name}: {unknown(str(name), names)} ({folder} in the library; or give the path of a .toml file)")


def find_beside(name: str, file: Path, folder: str) -> Path:
    """The TOML file that another file names: beside it, or else as anywhere (:func:`find_file`)."""
    near = file.parent / name
    return near if near.suffix == ".toml" and is_a_file(near) else find_file(name, folder)


def is_there(name: str | Path, folder: str) -> bool:
    """Whether a name is the path of a file, or that of a TOML file in a folder of the library."""
    return is_a_file(Path(name)) or is_a_file(library(folder) / f"{name}.toml")


def series_file(name: str, beside: Path | None = None) -> Path:
    """A series file: a path, one beside another file, or one in the library's calibration folder."""
    near = beside.parent / name if beside else Path(name)
    places = [
        near,
        near.with_name(f"{near.name}.csv"),
        library("calibration") / name,
        library("calibration") / f"{name}.csv",
    ]
    for place in places:
        if is_a_file(place):
            return place
    known = sorted(p.name for p in library("calibration").glob("*.csv"))
    raise BadInput(
        f"{unknown(name, known)} (calibration in the library; or give the path of a CSV, Parquet or XLSX file)"
    )


def model_or_series(name: str) -> Path:
    """The file of a model or of a series, by path or by its name in the library.

    >>> model_or_series("mm-infinity").name, model_or_series("referrals-monthly").name
    ('mm-infinity.toml', 'referrals-monthly.csv')
    """
    if is_a_file(Path(name)):
        return Path(name)
    for find_one in (series_file, partial(find_file, folder="models")):
        try:
            return find_one(name)
        except BadInput:
            continue
    if Path(name).suffix or len(Path(name).parts) > 1:
        raise BadInput(f"{name}: no such file")
    shipped = [
        p.stem
        for folder, kind in (("models", "*.toml"), ("calibration", "*.csv"))
        for p in sorted(library(folder).glob(kind))
    ]
    raise BadInput(f"{name}: {unknown(name, shipped)} (models and series in the library; or give the path of a file)")


def label_of(path: Path) -> str:
    """How an input file goes by in a fit: a shipped file by folder and name, any other by its path."""
    for folder in FOLDERS:
        if path.resolve().parent == library(folder).resolve():
            return f"{folder}/{path.name}"
    return str(path.resolve())


def labelled(label: str) -> Path:
    """The file of a label (:func:`label_of`)."""
    folder, _, name = label.partition("/")
    return library(folder) / name if folder in FOLDERS else Path(label)
