"""How good the drivers are over many series: the tables of docs/demand.md, the default and the typical widening.

    python scripts/demand_coverage.py

Tried are the shipped referrals of eight authorities, from every third month between two and five years on, and made-up
series of the same kinds, from three, four and five years on. Each time the driver, the driver with a damped trend and
their mix forecast 24 months. Printed are the share of series in which CRPS beats that of seasonal naive, the skill,
and how many months lay inside the 80 % intervals; then what each way to hold the season is worth on the authorities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from simcare.demand import challengers, scores
from simcare.demand import driver as drivers
from simcare.demand.backtest import BOTH, members, pool
from simcare.demand.challengers import DAMPED, DRIVER, SEASONAL_NAIVE
from simcare.demand.months import log_working_days, shares_of_school_holidays
from simcare.demand.reading import read_series
from simcare.demand.regressors import Terms
from simcare.demand.series import MonthlyCounts, Values
from simcare.files.library import library
from simcare.units import parsed_month

AHEAD, MONTHS, DRAWS = 24, 84, 1000
OFTEN, SELDOM = tuple(range(24, 61, 3)), (36, 48, 60)  # months known: of the authorities, of the made-up series
BANDS = ((1, 6), (7, 12), (13, 24))
OF_A_KIND = 12  # made-up series
Forecast = Callable[[MonthlyCounts], Mapping[str, Values]]  # draws by the name of a model, from what was known
BEGIN = parsed_month("2016-04")  # so that the spring of 2020 is 1 to 3 months ahead of the middle origin
SPRING = parsed_month("2020-04") - BEGIN


# ---- made-up series
def made_up() -> dict[str, MonthlyCounts]:
    """The made-up series by name, the same at every call."""
    kinds: Mapping[str, Callable[[np.random.Generator], Values]] = {
        "steady": partial(_counts, drift=0.04),
        "drifting": _counts,
        "restless": partial(_counts, drift=0.12),
        "small": partial(_counts, rate=(15.0, 60.0)),
        "large": partial(_counts, rate=(400.0, 1500.0)),
        "seasonal": partial(_counts, season=0.08, holidays=-0.35),
        "trending": partial(_counts, trend=0.06),
        "level shift": partial(_counts, drift=0.05, shift=0.35),
        "spring of 2020": partial(_counts, drift=0.05, spring=0.3),
    }
    return {
        f"{kind} {k + 1}": MonthlyCounts(f"{kind} {k + 1}", BEGIN, make(np.random.default_rng([place, k])))
        for place, (kind, make) in enumerate(kinds.items())
        for k in range(OF_A_KIND)
    }


def _counts(
    rng: np.random.Generator,
    *,
    rate: tuple[float, float] = (60.0, 900.0),
    drift: float = 0.07,
    season: float = 0.03,
    holidays: float = -0.2,
    trend: float = 0.0,
    shift: float = 0.0,
    spring: float = 0.0,
) -> Values:
    """Counts about a level that drifts. ``trend`` is a year's, up or down; ``shift`` the size of one step, up or down,
    in any month; ``spring`` what is missing in April to June of 2020, half of it in July, with as many more in autumn.
    """
    months = BEGIN + np.arange(MONTHS)
    level = np.zeros(MONTHS)
    level[0] = 0.2 * rng.standard_normal()
    for t in range(1, MONTHS):
        level[t] = 0.95 * level[t - 1] + drift * rng.standard_normal()
    waves = [wave(2 * np.pi * k * months / 12) for k in (1, 2) for wave in (np.cos, np.sin)]
    log = rng.uniform(*np.log(rate)) + level
    log = log + season * rng.standard_normal(4) @ np.array(waves)
    log = log + (1.2 + 0.2 * rng.standard_normal()) * log_working_days(months)
    log = log + (holidays + 0.07 * rng.standard_normal()) * shares_of_school_holidays(months)
    log = log + rng.choice([-trend, trend]) * np.arange(MONTHS) / 12
    log[rng.integers(12, MONTHS) :] += rng.choice([-shift, shift])
    log[SPRING : SPRING + 8] += spring * np.array([-1, -1, -1, -0.5, 0, 0.3, 0.3, 0.3])
    size = 1.0 / (0.006 * np.exp(0.6 * rng.standard_normal()))
    return rng.poisson(np.exp(log) * rng.gamma(size, 1.0 / size, MONTHS)).astype(float)


# ---- trials
def both_drivers(then: MonthlyCounts) -> Mapping[str, Values]:
    """Draws of the driver, the driver with a damped trend and their mix."""
    drawn = {DRIVER: _drawn(then, Terms()), DAMPED: _drawn(then, Terms(trend=True))}
    return drawn | {BOTH: pool(drawn, members(BOTH))}


def seasons(then: MonthlyCounts) -> Mapping[str, Values]:
    """Draws of the driver with the season held in several ways."""
    loose = {"cos": (0.0, 0.06), "sin": (0.0, 0.06)}
    hard = {f"{wave} {n} months": (0.0, 0.03) for wave in ("cos", "sin") for n in (4, 3)}
    ways = {
        "two waves": (Terms(school_holidays=False), loose),
        "four waves, the higher pooled hard": (Terms(4, school_holidays=False), loose | hard),
        "two waves and school holidays": (Terms(), {}),
        "four waves and school holidays": (Terms(4), hard),
    }
    return {name: _drawn(then, terms, priors) for name, (terms, priors) in ways.items()}


def _drawn(then: MonthlyCounts, terms: Terms, priors: Mapping[str, tuple[float, float]] | None = None) -> Values:
    typical = drivers.Typical({**drivers.Typical().coefficients, **(priors or {})})
    driver = drivers.fit_driver(then, terms, typical, plain=False)
    return drivers.simulate_counts(driver, then, AHEAD, DRAWS, np.random.default_rng([int(terms.trend), len(then)]))


def trial(series: MonthlyCounts, known: int, forecast: Forecast) -> pl.DataFrame:
    """A row for each model and month ahead: crps and whether the month lay inside the 80 % interval."""
    then, came = series.known(series.first + known - 1), series.counts[known : known + AHEAD]
    drawn = dict(forecast(then))
    drawn[SEASONAL_NAIVE] = challengers.seasonal_naive(then, AHEAD, DRAWS, np.random.default_rng(known))
    return pl.concat(
        pl.DataFrame(
            {
                "model": [name] * came.size,
                "ahead": np.arange(1, came.size + 1),
                "month": (series.first + known + np.arange(came.size)) % 12 + 1,
                "crps": scores.crps(came, draws[:, : came.size]),
                "held": scores.covered(came, draws[:, : came.size], 80),
            }
        )
        for name, draws in drawn.items()
    )


def tried(every: Mapping[str, MonthlyCounts], at: Sequence[int], forecast: Forecast) -> pl.DataFrame:
    """Every trial of some series with so many months known: the rows of :func:`trial`, with the series' name."""
    return pl.concat(
        trial(one, known, forecast).with_columns(series=pl.lit(name)) for name, one in every.items() for known in at
    )


# ---- tables
def summary(found: pl.DataFrame) -> pl.DataFrame:
    """A row for each model: share of series that beat seasonal naive, skill, coverage in each band and in August. Each
    series counts alike."""
    each = found.group_by("model", "series").agg(
        pl.col("crps").mean(),
        *(pl.col("held").filter(pl.col("ahead").is_between(*band)).mean().alias(_band(band)) for band in BANDS),
        pl.col("held").filter(pl.col("month") == 8).mean().alias("August"),
    )
    naive = each.filter(pl.col("model") == SEASONAL_NAIVE).select("series", pl.col("crps").alias("naive"))
    each = each.join(naive, on="series").with_columns(skill=1 - pl.col("crps") / pl.col("naive"))
    columns = [pl.col(_band(band)).mean() for band in BANDS]
    return (
        each.group_by("model")
        .agg((pl.col("skill") > 0).mean().alias("beats"), pl.col("skill").mean(), *columns, pl.col("August").mean())
        .sort("skill", descending=True)
    )


def _band(band: tuple[int, int]) -> str:
    return f"months {band[0]}–{band[1]}"


def printed(title: str, found: pl.DataFrame) -> None:
    """A table of Markdown."""
    head = ("better than seasonal naive", "skill", *(f"80 %, {_band(band)}" for band in BANDS), "80 %, Augusts")
    print(f"\n{title}\n\n| model | {' | '.join(head)} |\n|---{'|---:' * len(head)}|")
    for row in summary(found).iter_rows():
        held = " | ".join(f"{100 * value:.0f}" for value in row[3:])
        beats = "" if row[0] == SEASONAL_NAIVE else f"{100 * row[1]:.0f} %"
        print(f"| {row[0]} | {beats} | {row[2]:.2f} | {held} |")


def main() -> None:
    authorities = read_series(library("calibration") / "referrals-monthly.csv")
    real, made = tried(authorities, OFTEN, both_drivers), tried(made_up(), SELDOM, both_drivers)
    both = pl.concat([real, made])
    printed(f"All {both['series'].n_unique()} series", both)
    printed("The eight authorities", real)
    for name in authorities:
        printed(name, real.filter(pl.col("series") == name))
    kind = pl.col("series").str.replace(r" \d+$", "")
    for name in made.select(kind.unique(maintain_order=True)).to_series():
        printed(f"Made up: {name}", made.filter(kind == name))
    printed("The season, on the eight authorities", tried(authorities, OFTEN, seasons))


if __name__ == "__main__":
    main()
