"""Does the answer's interval hold what one thing alone would do? Each row of what is not known moved by itself.

    python benchmarks/one_at_a_time.py [EXPERIMENT] [YEARS] [REPLICATIONS]

Every row of the experiment's model (prevention unless said, five years, two replications) is set to its 5th and to its
95th percentile, of a choice to each of its cases, with all else as in the file; the strategies are compared in each.
Beside it the comparison is run once with everything drawn. Printed, for each strategy: the least and the most that one
row alone makes of the change in cost to the council, which rows do so, the 90 % prediction interval, and how many
of the changes lie inside it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import polars as pl

from simcare.decide.comparison import compare
from simcare.files.load import LoadedExperiment, read_experiment, with_options
from simcare.model.laying import laid
from simcare.model.uncertain import Uncertain

MEASURE = "cost_council"


def ends(row: Uncertain) -> tuple[float, ...]:
    """The values at which a row is tried."""
    return row.extremes if row.choose else (row.value(0.05), row.value(0.95))


def moved(given: LoadedExperiment) -> Iterator[tuple[str, LoadedExperiment]]:
    """The experiment with each row at each of its ends, all else as in the file."""
    for row in given.extended.uncertain:
        for value in ends(row):
            model = laid(given.extended, [row], {row.name: value})
            yield f"{row.title} at {value:.3g}", given._replace(model=model, extended=model)


def sweep(given: LoadedExperiment) -> pl.DataFrame:
    """The change in cost to the council of each strategy. Columns: strategy, what, difference."""
    parts = []
    for what, one in moved(given):
        found = compare(one, central=True).differences.filter(pl.col("measure") == MEASURE)
        parts.append(found.select("strategy", pl.lit(what).alias("what"), "difference"))
    return pl.concat(parts)


def report(swept: pl.DataFrame, whole: pl.DataFrame) -> list[str]:
    """A line or two for each strategy: its interval, and how far one row alone takes it."""
    lines = []
    for row in whole.filter(pl.col("measure") == MEASURE).iter_rows(named=True):
        mine = swept.filter(pl.col("strategy") == row["strategy"]).sort("difference")
        low, high = row["prediction_low"], row["prediction_high"]
        inside = mine.filter(pl.col("difference").is_between(low, high)).height
        lines.append(f"{row['strategy']}: interval {low:,.0f} to {high:,.0f}; {inside} of {mine.height} changes inside")
        for name, end in (("least", mine.row(0, named=True)), ("most", mine.row(-1, named=True))):
            lines.append(f"  {name} {end['difference']:,.0f}: {end['what']}")
    return lines


def main(name: str = "prevention", years: int | None = None, replications: int = 2, drawn: int | None = None) -> None:
    given = read_experiment(name)
    few = given._replace(experiment=with_options(given, years=years, replications=replications))
    whole = given._replace(experiment=with_options(given, years=years, replications=drawn))
    print("\n".join(report(sweep(few), compare(whole).differences)))


if __name__ == "__main__":
    main(*sys.argv[1:2], *(int(value) for value in sys.argv[2:4]))
