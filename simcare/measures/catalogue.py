"""The catalogue of measures: what each is called, its unit, which way is better, and what it means.

Nothing else says so: comparisons, rankings, the counting itself, calibration and every page read it here. The order is
that of tables: first what a comparison sums over the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simcare.errors import BadInput
from simcare.model.nearmiss import unknown

UnitName = Literal["pounds", "days", "people", "events", "share"]
Better = Literal[1, -1, 0]
MORE: Better = 1  # which way is better
LESS: Better = -1
NEITHER: Better = 0
SETTLED_DAYS = 42  # by then the first review is due: care above need is no longer the caution of the first weeks
DEPENDENT_DAYS = 91  # a quarter of a year


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    ``better`` is 1 where more is better, −1 where less is, 0 where neither is. ``unit`` is a plain name; the report
    knows how it is written. ``source`` says what the measure is counted from:

    - ``days``: person-days in a ``state``, a column of :func:`simcare.log.states.provision`, from day ``from_day`` of
      the stay on;
    - ``events``: see :func:`simcare.measures.counted_events.counted_events`;
    - ``people``: those there;
    - ``ledger``: a column of :func:`simcare.money.ledger.ledger`;
    - ``accounts``: parts of the cost, and what providers earn and spend.

    ``summed``: a comparison adds it up over the horizon.
    """

    name: str
    unit: UnitName
    better: Better
    label: str
    meaning: str
    source: Literal["days", "events", "people", "ledger", "accounts"] = "events"
    state: str = ""
    from_day: int = 0
    summed: bool = False


# The classes of the queue for places, the most urgent first, and what each is called. Whose place was cut wait as
# urgently as a crisis, in a row of their own.
QUEUE_CLASSES = {
    "crisis": "crisis",
    "hospital": "leaving hospital",
    "community": "community",
    "planned": "planned move",
    "displaced": "lost their place to a cut",
}

# fmt: off
CATALOGUE = (
    # What a comparison sums over the horizon.
    Measure("cost_pv", "pounds", LESS, "Total cost, NPV (Green Book)",
            "All care, assessments, reviews and programme costs, in base-year prices, later years discounted.",
            source="ledger", summed=True),
    Measure("cost", "pounds", LESS, "Total cost, cash budget",
            "All care, assessments, reviews and programme costs, in the prices of each year, as in the medium-term"
            " financial plan.",
            source="ledger", summed=True),
    Measure("cost_real", "pounds", LESS, "Total cost, constant prices",
            "The same in base-year prices, not discounted.", source="ledger", summed=True),
    Measure("cost_council", "pounds", LESS, "Cost to the council, cash budget",
            "The council's share of the total cost, in the prices of each year, as in the medium-term financial plan.",
            source="ledger", summed=True),
    Measure("cost_health", "pounds", LESS, "Cost to the NHS, cash budget",
            "The health partner's share of the total cost.", source="ledger", summed=True),
    Measure("cost_client", "pounds", NEITHER, "Paid by clients, cash budget", "What clients contribute.",
            source="ledger", summed=True),
    Measure("dependency_days", "days", LESS, "Dependency-days",
            "Days in a tier of long-term care above need, beyond day 91 of the stay.",
            source="days", state="over", from_day=DEPENDENT_DAYS, summed=True),
    Measure("over_provided_days", "days", LESS, "Over-provided days",
            "Days in a tier of long-term care above need, beyond day 42 of the stay.",
            source="days", state="over", from_day=SETTLED_DAYS, summed=True),
    Measure("induced_need_days", "days", LESS, "Induced-need days",
            "Days of extra need caused by over-provision (learned dependency); read beside over-provided days, which it"
            " can hide.",
            source="days", state="induced_need", summed=True),
    Measure("under_provided_days", "days", LESS, "Under-provided days", "Days in a tier of care below need.",
            source="days", state="under", summed=True),
    Measure("unmet_need_days", "days", LESS, "Unmet-need days", "Days with need and in no service.",
            source="days", state="unmet", summed=True),
    Measure("crises", "events", LESS, "Crises", "Urgent requests for short-term care.", summed=True),
    Measure("step_downs", "events", MORE, "Step-downs",
            "Moves to a less intensive tier or to independence. More is better, since people need less care; read"
            " beside early discharges and readmissions, which should not rise with them.", summed=True),
    Measure("premature_releases", "events", LESS, "Early discharges by providers",
            "People whom a provider discharged to a lower tier though they needed the care.", summed=True),
    Measure("readmissions_91", "events", LESS, "Readmissions within 91 days",
            "Returns within 91 days to the tier last stepped down from, or above.", summed=True),
    Measure("waiting_days", "days", LESS, "Waiting days",
            "Days from a referral until a service begins: referred and not yet served.",
            source="days", state="referred", summed=True),
    Measure("queue_days", "days", LESS, "Days waiting for a place",
            "Days of people for whom no place is free, whether in no service or in one until another has a place.",
            source="days", state="queueing", summed=True),
    Measure("displaced", "events", LESS, "Lost their place to a cut",
            "Times that somebody had to move, as the number of places was cut.", summed=True),
    Measure("spot_days", "days", LESS, "Days in spot-purchased places",
            "Days in places above contracted capacity, at a higher price: bought in a crisis, or kept after a cut.",
            source="days", state="spot", summed=True),
    Measure("delayed_days", "days", LESS, "Delayed discharge days",
            "Days of people who are ready to leave hospital and are still there.",
            source="days", state="delayed", summed=True),
    Measure("independent_days", "days", MORE, "Independent days",
            "Days at home with need met: in no service and in need of none, of everyone ever known. Days on which care"
            " is withheld are not among them; read beside unmet-need days. In a comparison, whoever prevention keeps"
            " from needing care counts as independent for as long as they would have been known.",
            source="days", state="independent", summed=True),
    Measure("person_days", "days", NEITHER, "Days in care",
            "Days of all people in all services. Fewer are neither better nor worse: they can be care that is no longer"
            " needed, or care withheld.", source="days", state="served", summed=True),
    # All others.
    Measure("paid_block", "pounds", NEITHER, "Paid in blocks", "What block contracts cost, in the prices of each year.",
            source="accounts"),
    Measure("paid_episode", "pounds", NEITHER, "Paid for stays", "Sums for each stay, in the prices of each year.",
            source="accounts"),
    Measure("paid_step_down", "pounds", NEITHER, "Paid for step-downs",
            "Bonuses and outcome payments, in the prices of each year.", source="accounts"),
    Measure("taken_back", "pounds", NEITHER, "Taken back",
            "What clawbacks took back on returns, in the prices of each year.", source="accounts"),
    Measure("paid_programmes", "pounds", NEITHER, "Paid for programmes",
            "What programmes and grants to voluntary groups cost, in the prices of each year.", source="accounts"),
    Measure("paid_assessments", "pounds", NEITHER, "Paid for assessments",
            "What assessments cost, in the prices of each year.", source="accounts"),
    Measure("paid_reviews", "pounds", NEITHER, "Paid for reviews",
            "What reviews cost, in the prices of each year.", source="accounts"),
    Measure("paid_transitions", "pounds", NEITHER, "Paid for supported transitions",
            "What supported transitions cost, in the prices of each year.", source="accounts"),
    Measure("induced_cost", "pounds", LESS, "Cost of days with induced need",
            "What care costs, paid by the day, on days on which over-provision had caused some of the need.",
            source="accounts"),
    Measure("provider_income", "pounds", NEITHER, "Providers' income",
            "What contracts pay providers that state their costs.", source="accounts"),
    Measure("provider_variable", "pounds", NEITHER, "Providers' variable cost",
            "What a day of care costs them, by the days of care.", source="accounts"),
    Measure("provider_fixed", "pounds", NEITHER, "Providers' fixed cost",
            "What a service costs them, whoever is there.", source="accounts"),
    Measure("provider_overhead", "pounds", NEITHER, "Providers' overhead",
            "What their head office costs, shared by income.", source="accounts"),
    Measure("caseload", "people", NEITHER, "Caseload", "People in a service, mean over each month.", source="people"),
    Measure("caseload_end", "people", NEITHER, "Caseload at the end", "People in a service on the last day.",
            source="people"),
    Measure("excess_stay_days", "days", LESS, "Excess-stay days",
            "Days from first being ready to step down until the stay ends.", source="days", state="excess"),
    Measure("transfer_days", "days", LESS, "Days waiting in another service",
            "Those of the days waiting for a place that are spent in a service.", source="days", state="transfer"),
    Measure("hospital_days", "days", LESS, "Days in hospital, treated",
            "Days in hospital after a crisis, until ready to leave.", source="days", state="treated"),
    Measure("entries", "events", NEITHER, "Entries", "Starts of care from no service."),
    Measure("exits", "events", NEITHER, "Exits", "Ends of care, deaths and moves away included."),
    Measure("step_ups", "events", NEITHER, "Step-ups", "Moves to a more intensive tier."),
    Measure("step_up_starts", "events", NEITHER, "Step-ups from no service", "Starts of short-term care."),
    Measure("provider_step_downs", "events", NEITHER, "Step-downs by providers",
            "Step-downs of a provider's own accord, without a review."),
    Measure("people_known", "events", NEITHER, "People newly known",
            "The first that is known of a person: in the caseload at the start, or referred since."),
    Measure("referrals", "events", NEITHER, "Referrals", "All referrals, new and repeated."),
    Measure("re_referrals_91", "events", LESS, "Re-referrals within 91 days",
            "Referrals within 91 days of the person's previous referral."),
    Measure("re_referrals_365", "events", LESS, "Re-referrals within 365 days",
            "Referrals within 365 days of the person's previous referral."),
    Measure("diverted", "events", NEITHER, "Diverted", "Referrals that ended without care."),
    Measure("assessments", "events", NEITHER, "Assessments",
            "Assessments at the front door and at the end of short-term care."),
    Measure("reviews", "events", NEITHER, "Reviews", "Reviews of people in care."),
    Measure("deaths", "events", NEITHER, "Deaths", "Deaths, in care or not."),
    Measure("leavers", "events", NEITHER, "Case closed, moved away",
            "People who moved away, or whose case was closed."),
    Measure("queued", "events", LESS, "Joined the queue for a place",
            "Times that somebody had to wait for a place, as none was free."),
    Measure("reneged", "events", LESS, "Gave up waiting",
            "Times that somebody gave up waiting for a place or for an assessment."),
    Measure("spot_purchases", "events", LESS, "Spot purchases in a crisis",
            "Times that a place above contracted capacity was bought in a crisis, as none was free."),
    Measure("admissions", "events", LESS, "Admissions to hospital", "Crises that led to hospital."),
    Measure("supported_transitions", "events", NEITHER, "Transitions with support",
            "People who aged out of a service and were prepared for what comes after it."),
    Measure("unsupported_transitions", "events", LESS, "Transitions without support",
            "People who aged out of a service and were not prepared."),
    *(Measure(f"placed_{name}", "events", NEITHER, f"Placed from the queue: {what}",
              "Places given to people in the queue.") for name, what in QUEUE_CLASSES.items()),
    *(Measure(f"waited_days_{name}", "days", NEITHER, f"Days waited by those placed: {what}",
              "Their mean wait is this by the number placed; by itself it is also less where fewer are placed.")
      for name, what in QUEUE_CLASSES.items()),
)
# fmt: on
BY_NAME = {measure.name: measure for measure in CATALOGUE}
SUMMED = tuple(measure.name for measure in CATALOGUE if measure.summed)
# What a calibration may hold, summed over a year, against a published number.
TARGETS = tuple(measure.name for measure in CATALOGUE if measure.source in ("days", "events", "ledger"))


def measure_named(name: str) -> Measure:
    """The row of a measure. Raises BadInput with the nearest name where there is none.

    >>> measure_named("dependency_days").label
    'Dependency-days'
    """
    if name not in BY_NAME:
        raise BadInput(f"measure: {unknown(name, BY_NAME)}")
    return BY_NAME[name]


def names_from(source: str) -> tuple[str, ...]:
    """The names of the measures that are counted from one source.

    >>> names_from("people")
    ('caseload', 'caseload_end')
    """
    return tuple(measure.name for measure in CATALOGUE if measure.source == source)
