"""Prints the balance tables of docs/kent-2013.md: the uncalibrated Kent model against the published figures.

    python scripts/kent_balance.py [REPLICATIONS]

Two years from April 2013, seed 1, three replications unless said; every figure is a mean over replications.
"""

from __future__ import annotations

import sys

import polars as pl

import simcare
from simcare.demand.paths import at_base_demand
from simcare.log.flows import with_before
from simcare.model import Model

CHILDREN = ["general", "disabled_children", "unaccompanied"]
CARE = ["placement", "specialist"]
IN_NEED = ["community", "enhanced", *CARE, "step_up"]
YEARS = ["2013/14", "2014/15"]
COST_LINES = {
    "Residential and nursing, 65+ (with short-stay beds)": ["residential_older", "nursing_older", "short_stay_bed"],
    "Residential, learning disability": ["residential_ld"],
    "Residential, mental health": ["residential_mh"],
    "Residential, physical disability": ["residential_pd"],
    "Nursing under 65": ["nursing_working_age"],
    "Home care": [
        "home_care_older",
        "home_care_working_age",
        "intensive_home_care_older",
        "intensive_home_care_working_age",
    ],
    "Direct payments": ["direct_payment_older", "direct_payment_ld", "direct_payment_pd", "direct_payment_mh"],
    "Day care": ["day_care_older", "day_care_ld", "day_care_pd"],
    "Children's residential care": ["childrens_home", "residential_school"],
}


def stocks(run: simcare.Run, by: list[str]) -> pl.DataFrame:
    """People in services on day 0 and after one and two years, and the drift over two years in percent."""
    services = {s.name: s.tier for s in run.model.services}
    rows = [
        {"stage": c.stage, "tier": services[c.service], "people": c.count.value}
        for c in run.model.caseload
        if c.service is not None
    ]
    day_0 = pl.DataFrame(rows).group_by(by).agg(pl.col("people").sum().alias("day 0"))
    ends = run.measures.filter(pl.col("measure") == "caseload_end")
    after = [
        ends.filter(pl.col("month") == month).group_by(by).agg((pl.col("value").sum() / run.replications).alias(name))
        for month, name in (("2014-03", "year 1"), ("2015-03", "year 2"))
    ]
    found = day_0.join(after[0], on=by, how="left").join(after[1], on=by, how="left").sort(by)
    return found.with_columns(
        ((pl.col("year 2") / pl.col("day 0") - 1) * 100).round(1).alias("drift %"), pl.col("year 1", "year 2").round(0)
    )


def flows(run: simcare.Run) -> pl.DataFrame:
    """Flows a year that the council and the department count, in the model's first and second year."""
    assert run.log is not None
    log = with_before(run.log).with_columns((pl.col("time") // 365.25).cast(pl.Int32).alias("year"))
    child, older = pl.col("group").is_in(CHILDREN), pl.col("stage") == "older people"
    event, cause, tier, before = (
        pl.col("event"),
        pl.col("cause"),
        pl.col("tier").cast(pl.String),
        pl.col("from_tier").cast(pl.String),
    )
    placed = event.is_in(["start", "move"])
    into_need = placed & tier.is_in(IN_NEED) & (before.is_in(["independent", "early_help"]) | before.is_null())
    counted = {
        "Children's referrals": child & (event == "referral"),
        "no further action": child & (event == "diverted") & (cause == "advice"),
        "not in need": child & (event == "diverted") & (cause == "not_in_need"),
        "Episodes of need started": child & into_need,
        "Protection plans started": child & placed & (tier == "enhanced") & (before != "enhanced"),
        "Started to be looked after": child & placed & tier.is_in(CARE) & ~before.is_in(CARE),
        "Assessments, 65 and over": older & (event == "assessed") & (cause == "assessment"),
        "Short-term packages": ~child & placed & (tier == "step_up"),
    }
    rows = []
    for name, rows_of in counted.items():
        by_year = dict(log.filter(rows_of).group_by("year").len().rows())
        rows.append({"flow": name, **{year: by_year.get(k, 0) / run.replications for k, year in enumerate(YEARS)}})
    again = run.measures.filter(
        (pl.col("measure") == "re_referrals_365") & pl.col("group").is_in(CHILDREN) & (pl.col("month") >= "2014-04")
    )
    rows.append(
        {
            "flow": "Children's referrals within 12 months of another",
            YEARS[0]: None,
            YEARS[1]: again["value"].sum() / run.replications,
        }
    )
    return pl.DataFrame(rows).with_columns(pl.col(YEARS).round(0))


def costs(run: simcare.Run) -> pl.DataFrame:
    """Gross cost of care in the first year, £m in prices of 2012/13."""
    first = run.measures.filter((pl.col("measure") == "cost") & (pl.col("month") < "2014-04"))
    base_year = 1e6 * run.replications * (1 + run.model.prices.growth_per_year.value)
    lines = [
        {"line": name, "£m": first.filter(pl.col("service").is_in(services))["value"].sum() / base_year}
        for name, services in COST_LINES.items()
    ]
    lines.append({"line": "Everything, with assessments and reviews", "£m": first["value"].sum() / base_year})
    return pl.DataFrame(lines).with_columns(pl.col("£m").round(1))


def care_home_stays(model: Model) -> pl.DataFrame:
    """How long older people stay in care homes (residential and nursing as one): those who enter in the first two
    years, followed for nine."""
    older = {
        part: tuple(row for row in getattr(model, part) if row.stage == "older people")
        for part in ("caseload", "arrivals")
    }
    run = simcare.run(model.model_copy(update=older), years=9, replications=1, seed=1, keep_log=True, central=True)
    assert run.log is not None
    home = pl.col("tier").cast(pl.String).is_in(CARE) & ~pl.col("event").is_in(["death", "left"])
    rows = run.log.with_columns(home=home, until=pl.col("time").shift(-1).over("client").fill_null(run.days))
    rows = rows.with_columns(
        (pl.col("home") & ~pl.col("home").shift(1, fill_value=False).over("client"))
        .cum_sum()
        .over("client")
        .alias("stay")
    )
    stays = rows.filter("home").group_by("client", "stay").agg(pl.col("time").min(), pl.col("until").max())
    days = stays.filter(pl.col("time").is_between(1e-9, 730)).select(days=pl.col("until") - pl.col("time"))["days"]
    past = [round(float((days > 365 * year).mean() or 0.0) * 100, 1) for year in (1, 2, 3)]
    return pl.DataFrame(
        {
            "stays": [len(days)],
            "mean days": [days.mean()],
            **{f"past {k} years %": [share] for k, share in enumerate(past, start=1)},
        }
    )


def tables(model: Model, replications: int) -> tuple[pl.DataFrame, ...]:
    """The five tables of a model's balance."""
    run = simcare.run(model, years=2, replications=replications, seed=1, keep_log=True, central=True)
    by_stage, by_tier = stocks(run, ["stage"]), stocks(run, ["stage", "tier"])
    return by_stage, by_tier, flows(run), costs(run), care_home_stays(model)


def main() -> None:
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    pl.Config(
        tbl_rows=60,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        fmt_str_lengths=60,
        tbl_formatting="MARKDOWN",
    )
    for table in tables(at_base_demand(simcare.load("kent-2013")), replications):
        print(table, "\n")


if __name__ == "__main__":
    main()
