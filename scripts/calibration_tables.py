"""Makes the CSVs of calibration/ from a folder of evidence, so that they can be made again.

    python scripts/calibration_tables.py EVIDENCE_DIR [OUT_DIR]

EVIDENCE_DIR holds referrals_monthly.csv, children_in_need.csv, looked_after.csv, adults_activity.csv,
transitions_evidence.csv, kent_budget.csv, population_by_age.csv and drivers_kent.csv, every row with its source and
status; OUT_DIR is calibration/ beside this script unless said. Only the rows that a model or a target needs are taken,
nothing unconfirmed is, and every row keeps its source. A sum or difference made here says so in its source.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

YEARLY = ("date", "area", "series", "count", "unit", "status", "source")
Row = dict[str, object]

# Children: table and measure of "Characteristics of children in need" -> series, unit.
IN_NEED = {
    ("C1", "Referrals"): ("referrals", "referrals"),
    ("C1", "Re_referrals"): ("re_referrals", "referrals"),
    ("C1", "No_Further_Action"): ("referrals_no_further_action", "referrals"),
    ("C1", "Not_in_Need"): ("referrals_not_in_need", "referrals"),
    ("B1", "At31_episodes"): ("children_in_need_31mar", "episodes"),
    ("B1", "Started_episodes"): ("need_episodes_started", "episodes"),
    ("B1", "Ended_episodes"): ("need_episodes_ended", "episodes"),
    ("D1", "CPP_At31"): ("protection_plans_31mar", "plans"),
    ("D1", "CPP_start"): ("protection_plans_started", "plans"),
    ("D1", "CPP_end"): ("protection_plans_ended", "plans"),
    ("D3", "CPP_subsequent"): ("protection_plans_started_second_or_later", "plans"),
}
IN_NEED_KENT = {
    ("B3", "N1_Abuse_or_neglect"): ("children_in_need_31mar_abuse_or_neglect", "episodes"),
    ("B3", "N2_Childs_disability_or_illness"): ("children_in_need_31mar_child_disability", "episodes"),
    ("B3", "N3_Parents_disability_or_illness"): ("children_in_need_31mar_parent_illness", "episodes"),
    ("B3", "N4_Family_in_acute_stress"): ("children_in_need_31mar_family_acute_stress", "episodes"),
    ("B3", "N5_Family_dysfunction"): ("children_in_need_31mar_family_dysfunction", "episodes"),
    ("B3", "N6_Socially_unacceptable_behaviour"): ("children_in_need_31mar_unacceptable_behaviour", "episodes"),
    ("B3", "N8_Absent_parenting"): ("children_in_need_31mar_absent_parenting", "episodes"),
}
# Children looked after: the name in the returns -> series. Unaccompanied children are a series of their own.
ALL_AFTER, UNACCOMPANIED = "looked_after_31mar", "looked_after_31mar_unaccompanied"
LOOKED_AFTER = {
    "cla_at_31_march": ALL_AFTER,
    "cla_started_in_year": "looked_after_started",
    "cla_ceased_in_year": "looked_after_ceased",
}
# England's totals are those of the revised series, so its unaccompanied children are too.
UNACCOMPANIED_IN = {
    "England": "cla_children_looked_after_at_31_march_who_were_unaccompanied_asy",
    "Kent": "cla_31mar_uasc",
}
PLACEMENTS = (
    "foster",
    "placed_for_adoption",
    "with_parents",
    "secure_childrens_homes_hostels",
    "residential_school",
    "other_residential",
)
LOOKED_AFTER_KENT = (
    {
        f"cla_31mar_placement_{kind}": f"looked_after_31mar_{kind}"
        for kind in (*PLACEMENTS, "other_community_independent_living", "other")
    }
    | {f"cla_31mar_age_{age}": f"looked_after_31mar_age_{age}" for age in ("under_1", "1_4", "5_9", "10_15", "16_over")}
    | {
        f"cla_started_age_{age}": f"looked_after_started_age_{age}"
        for age in ("under_1", "1_4", "5_9", "10_15", "16_over")
    }
    | {
        "started | Age group | Under 1 year": "looked_after_started_age_under_1",
        "started | Age group | 1 to 4 years": "looked_after_started_age_1_4",
        "started | Age group | 5 to 9 years": "looked_after_started_age_5_9",
        "started | Age group | 10 to 15 years": "looked_after_started_age_10_15",
        "started | Age group | 16 years and over": "looked_after_started_age_16_over",
    }
    | {
        f"cla_ceased_age_{age}": f"looked_after_ceased_age_{age}"
        for age in ("under_1", "1_4", "5_9", "10_15", "16_over")
    }
)

# Adults: what the returns say of Kent. Two returns, two names: nothing may join them.
RAP_UNTIL = 2014  # the year ending 31 March 2014 is the last of RAP and of the old PSS-EX1
ADULTS_FROM = 2010
ADULTS = (
    "assessments_completed_18_64_learning_disability",
    "assessments_completed_18_64_mental_health",
    "assessments_completed_18_64_physical",
    "assessments_completed_65plus",
    "existing_clients_with_completed_reviews",
    "people_supported_reablement_home_care",
    "ascof_2D_short_term_services_no_ongoing_support_pct",
    "requests_resulting_in_service_per_100k",
    "home_care_clients_31mar_all",
    "home_care_clients_31mar_65plus",
    "home_care_intensive_clients_gt10h_6visits",
    "home_care_hours_independent",
    "home_care_hours_own",
    "day_care_clients_31mar_all",
    "direct_payment_clients_31mar_all",
    "direct_payment_clients_31mar_65plus",
    "telecare_clients_year_end",
    "telecare_new_clients",
    "supported_residents_31mar_65plus",
    "supported_residents_31mar_18_64_ld",
    "supported_residents_31mar_18_64_mh",
    "supported_residents_31mar_18_64_pd",
    "weeks_nursing_65plus",
    "weeks_residential_65plus",
    "weeks_nursing_18_64",
    "weeks_residential_18_64",
    "weeks_resnurs_65plus",
    "weeks_resnurs_65plus_of_which_rehab_intermediate",
    "weeks_resnurs_65plus_of_which_respite",
    "weeks_resnurs_65plus_of_which_short_term",
    "weeks_resnurs_18_64_learning_disability",
    "weeks_resnurs_18_64_mental_health",
    "weeks_resnurs_18_64_physical_disability",
    "weeks_extra_care_housing_65plus",
    "weeks_supported_living_18_64_ld",
)
# of transitions_evidence.csv: the outcome of short-term services in 2019/20, which the activity file lacks
LATER_OUTCOME = "T027"
SPEND = {  # the words of the return -> series
    "Gross total cost for residential and nursing care for older people during year": "spend_resnurs_65plus",
    "Gross total cost for residential and nursing care for adults with a Learning disability": (
        "spend_resnurs_18_64_learning_disability"
    ),
    "Gross total cost for residential and nursing care for adults with mental illness": (
        "spend_resnurs_18_64_mental_health"
    ),
    "Gross total cost for residential and nursing care for adults aged 18-64 with a Physical": (
        "spend_resnurs_18_64_physical_disability"
    ),
    "Gross total cost for home care to adults and older people": "spend_home_care",
    "Gross total cost for direct payments": "spend_direct_payments",
    "Gross total cost for day care": "spend_day_care",
    "children's residential care expenditure (section 251)": "spend_childrens_residential_section_251",
}
SPEND_YEARS = range(2013, 2021)
DRIVERS = ("unemployment_rate_16_64", "claimant_count_rate", "children_in_relative_low_income_pct")

# Population: the stages of the models cut at 11, 18 (within 11-24), 25 and 65; age 0 and 85 and over stand by
# themselves.
BANDS = ((0, 1), (1, 11), (11, 18), (18, 25), (25, 65), (65, 75), (75, 85), (85, None))
WHOLE_BANDS = {
    "0-10": (0, 11),
    "11-17": (11, 18),
    "18-24": (18, 25),
    "25-64": (25, 65),
    "65-74": (65, 75),
    "75-84": (75, 85),
    "85+": (85, None),
}
VARIANTS = {
    "projection_2018b_principal": ("principal", "projection_2018b"),
    "projection_2018b_high_population": ("high", "projection_2018b"),
    "projection_2018b_low_population": ("low", "projection_2018b"),
    "projection_2020b_principal": ("principal_2020b", "projection_2020b"),
}
PROJECTED = range(2020, 2041)
NATION, COUNTY = "England", "Kent"


def read(folder: Path, name: str) -> pl.DataFrame:
    """A file of the evidence, without what is unconfirmed."""
    found = pl.read_csv(folder / name, infer_schema_length=None)
    return found.filter(pl.col("status") != "unconfirmed") if "status" in found.columns else found


def referrals(folder: Path) -> Iterator[Row]:
    """Referrals by month, of authorities only: England's are rounded to ten."""
    for row in (
        read(folder, "referrals_monthly.csv")
        .filter(pl.col("geographic_level") == "Local authority")
        .iter_rows(named=True)
    ):
        yield {"date": row["month"], "area": row["area"], "count": row["referrals"], "source": row["source"]}


def children(folder: Path) -> Iterator[Row]:
    """Children in need, on plans, referred and looked after, by year."""
    for row in read(folder, "children_in_need.csv").drop_nulls("value").iter_rows(named=True):
        key = (row["table"], row["measure"])
        known = IN_NEED | IN_NEED_KENT if row["area"] == COUNTY else IN_NEED
        if key in known:
            series, unit = known[key]
            source = f"{row['source']}, table {row['table']}"
            yield {
                **_year_end(row),
                "series": series,
                "count": row["value"],
                "unit": unit,
                "status": row["status"],
                "source": source,
            }
    yield from looked_after(folder)


def looked_after(folder: Path) -> Iterator[Row]:
    """Children looked after; those who are not unaccompanied are worked out where both figures are published."""
    found: dict[tuple[str, str, object], Row] = {}
    frame = read(folder, "looked_after.csv").filter(pl.col("year") >= 2010).drop_nulls("value").sort("year", "series")
    for row in frame.iter_rows(named=True):
        known = (
            LOOKED_AFTER
            | {UNACCOMPANIED_IN[row["area"]]: UNACCOMPANIED}
            | (LOOKED_AFTER_KENT if row["area"] == COUNTY else {})
        )
        if row["series"] not in known:
            continue
        source = row["source"] if row["status"] == "confirmed" else f"{row['source']}; {row['note']}"
        made: Row = {
            **_year_end(row),
            "series": known[row["series"]],
            "count": row["value"],
            "unit": row["unit"],
            "status": row["status"],
            "source": source,
        }
        yield made
        found[row["area"], known[row["series"]], made["date"]] = made
    for (area, series, date), row in found.items():
        part = found.get((area, UNACCOMPANIED, date))
        if series == ALL_AFTER and part is not None and row["status"] == part["status"] == "confirmed":
            source = f"{ALL_AFTER} less {UNACCOMPANIED}: " + "; ".join(
                dict.fromkeys((str(row["source"]), str(part["source"])))
            )
            rest = float(str(row["count"])) - float(str(part["count"]))
            yield {
                **row,
                "series": "looked_after_31mar_not_unaccompanied",
                "count": rest,
                "status": "derived",
                "source": source,
            }


def adults(folder: Path) -> Iterator[Row]:
    """Adults' activity of Kent; the return is in a column and in the name of the series."""
    frame = read(folder, "adults_activity.csv").filter(
        (pl.col("area") == COUNTY) & (pl.col("year") >= ADULTS_FROM) & pl.col("series").is_in(ADULTS)
    )
    for row in frame.drop_nulls("value").iter_rows(named=True):
        returned = "RAP" if row["year"] <= RAP_UNTIL else "SALT"
        named = {"series": f"{row['series'].lower()}_{returned.lower()}", "return": returned}
        yield {
            **_year_end(row),
            **named,
            "count": row["value"],
            "unit": row["unit"],
            "status": row["status"],
            "source": row["source"],
        }
    later = read(folder, "transitions_evidence.csv").filter(pl.col("id") == LATER_OUTCOME).row(0, named=True)
    outcome = {"series": "ascof_2d_short_term_services_no_ongoing_support_pct_salt", "return": "SALT", "unit": "%"}
    year = {"date": "2020-03-31", "area": COUNTY}
    yield {
        **year,
        **outcome,
        "count": round(100 * float(later["value"]), 1),
        "status": later["status"],
        "source": later["source"],
    }


def spend(folder: Path) -> Iterator[Row]:
    """What Kent spent by service, cash, in thousands of pounds; the return of 2014/15 is of other lines and is left
    out."""
    for row in read(folder, "kent_budget.csv").iter_rows(named=True):
        name = next((series for words, series in SPEND.items() if str(row["item"]).startswith(words)), None)
        first = str(row["fin_year"])[:4]
        if name is None or not first.isdigit() or int(first) + 1 not in SPEND_YEARS:
            continue
        thousands = float(str(row["value"])) / (1000 if row["unit"] == "GBP" else 1)
        date = {"date": f"{int(first) + 1}-03-31", "area": COUNTY}
        yield {
            **date,
            "series": name,
            "count": round(thousands, 1),
            "unit": "GBP 000",
            "status": row["status"],
            "source": row["source"],
        }


def drivers(folder: Path) -> Iterator[Row]:
    """What drives need, by year; the publisher's panel names the year only."""
    frame = read(folder, "drivers_kent.csv").filter(pl.col("series").is_in(DRIVERS) & (pl.col("status") == "confirmed"))
    for row in frame.iter_rows(named=True):
        known = {name: row[name] for name in ("area", "series", "value", "unit", "status", "source")}
        yield {"date": str(row["year"]), **known}


def population(folder: Path) -> Iterator[Row]:
    """People by age band: estimates and backcast of Kent, each of its vintage, and the national projections that carry
    them on."""
    frame = read(folder, "population_by_age.csv")
    known = {
        (row["area"], row["kind"], row["vintage"], row["year"], row["age_band"]): row
        for row in frame.iter_rows(named=True)
    }
    for area, vintage, year in (
        (COUNTY, "census2011_based", 2019),
        (COUNTY, "census2011_based", 2020),
        (COUNTY, "census2021_rebased", 2023),
    ):
        yield from _summed(known, area, vintage, year)
    yield from _summed(known, NATION, "census2021_rebased", 2023)
    for (area, kind, vintage, year, band), row in known.items():
        if (
            kind == "estimate"
            and vintage == "census2021_rebased"
            and band == "0-17"
            and year < 2023
            and area in (COUNTY, NATION)
        ):
            yield _people(row, "estimate", vintage, (0, 18), row["population"], row["status"], row["source"])
        elif kind == "derived_backcast" and band in WHOLE_BANDS:
            # Stepped back from the mid-2019 estimate, which rests on the census of 2011: so does the backcast.
            yield _people(
                row, "backcast", "census2011_based", WHOLE_BANDS[band], row["population"], row["status"], row["source"]
            )
        elif kind in VARIANTS and year in PROJECTED and band in WHOLE_BANDS:
            yield _people(row, *VARIANTS[kind], WHOLE_BANDS[band], row["population"], row["status"], row["source"])
        elif kind in VARIANTS and year in PROJECTED and band == "0-17":
            rest = row["population"] - known[area, kind, vintage, year, "0-10"]["population"]
            yield _people(row, *VARIANTS[kind], (11, 18), rest, "derived", f"{row['source']}; 0-17 less 0-10")


def _summed(known: dict[tuple[object, ...], dict[str, object]], area: str, vintage: str, year: int) -> Iterator[Row]:
    """The bands of an estimate by single years of age (the last is 90 and over)."""
    for low, high in BANDS:
        ages = [str(age) for age in range(low, 90 if high is None else high)] + (["90+"] if high is None else [])
        rows = [known[area, "estimate", vintage, year, age] for age in ages]
        people = sum(int(str(row["population"])) for row in rows)
        source = str(rows[0]["source"]) if len(rows) == 1 else f"{rows[0]['source']}; sum of single years of age"
        yield _people(
            rows[0],
            "estimate",
            vintage,
            (low, high),
            people,
            str(rows[0]["status"]) if len(rows) == 1 else "derived",
            source,
        )


def _people(
    row: dict[str, object],
    variant: str,
    vintage: str,
    band: tuple[int, int | None],
    people: object,
    status: object,
    source: object,
) -> Row:
    ages = {"from_age": band[0], "to_age": "" if band[1] is None else band[1]}
    return {
        "date": row["date"],
        "area": row["area"],
        "variant": variant,
        "vintage": vintage,
        **ages,
        "people": people,
        "status": status,
        "source": source,
    }


def _year_end(row: dict[str, object]) -> Row:
    return {"date": f"{row['year']}-03-31", "area": row["area"]}


def plain(value: object) -> object:
    """A whole number without its ``.0``."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


TABLES = {
    "referrals-monthly.csv": (referrals, ("date", "area", "count", "source"), ("area", "date")),
    "children-yearly.csv": (children, YEARLY, ("area", "series", "date")),
    "adults-yearly.csv": (adults, (*YEARLY[:3], "return", *YEARLY[3:]), ("area", "series", "date")),
    "spend-yearly.csv": (spend, YEARLY, ("area", "series", "date")),
    "population-kent.csv": (
        population,
        ("date", "area", "variant", "vintage", "from_age", "to_age", "people", "status", "source"),
        ("area", "vintage", "variant", "date", "from_age"),
    ),
    "drivers-yearly.csv": (
        drivers,
        ("date", "area", "series", "value", "unit", "status", "source"),
        ("area", "series", "date"),
    ),
}


def main(evidence: Path, out: Path) -> None:
    for name, (make, columns, order) in TABLES.items():
        rows = [{key: plain(value) for key, value in row.items()} for row in make(evidence)]
        rows.sort(key=lambda row: tuple(row[key] for key in order))
        with (out / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        print(f"{name}: {len(rows)} rows")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python scripts/calibration_tables.py EVIDENCE_DIR [OUT_DIR]")
    beside = Path(__file__).resolve().parents[1] / "calibration"
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else beside)
