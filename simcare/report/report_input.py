"""What a report is made from: the pieces of a run or of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import polars as pl

from simcare.decide.answers import MONEY, Answers, answers_of
from simcare.decide.comparison import Comparison
from simcare.log.periods import covered_days
from simcare.measures.spread_parts import NOTHING_DRAWN
from simcare.model.model import Model
from simcare.model.strategy import BASELINE, Experiment
from simcare.report import summaries, wording
from simcare.report.limit_frames import LIMITS
from simcare.report.setting import Setting
from simcare.runs.task import horizon_days

MOST_CAUSES = 3  # that a strategy is said to hang on
USED = ("caseload", *summaries.COSTS, "cost_pv", *LIMITS)  # the measures that figures and tables are drawn from


class Result(Protocol):
    """What a report needs of a run or of a comparison."""

    @property
    def model(self) -> Model: ...
    @property
    def measures(self) -> pl.DataFrame: ...
    @property
    def flows(self) -> pl.DataFrame: ...
    @property
    def drawn(self) -> pl.DataFrame: ...
    @property
    def manifest(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class ReportInput:
    """The pieces of a report. A run has no experiment and no differences, and its report no comparison.

    ``measures``: the tidy frame of all strategies and replications ("baseline" among them). ``flows``: strategy,
    replication, financial_year, from_tier, to_tier, moves. ``differences``: a row a strategy and measure, as a
    comparison gives them. ``drawn``: what each replication drew, as a run has it. ``manifest`` says at least how many
    ``years`` and ``replications`` were run. ``answered`` gives the answers of a comparison that keeps its own.
    """

    model: Model
    measures: pl.DataFrame
    manifest: Mapping[str, Any]
    flows: pl.DataFrame
    experiment: Experiment | None = None
    totals: pl.DataFrame | None = None
    differences: pl.DataFrame | None = None
    scenarios: pl.DataFrame | None = None
    market: pl.DataFrame | None = None
    drawn: pl.DataFrame = field(default_factory=NOTHING_DRAWN.clone)
    answered: Callable[[], Answers] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, result: Result) -> ReportInput:
        """The pieces of a run, of a comparison, or of anything with the same names."""
        extra = {
            name: getattr(result, name, None) for name in ("experiment", "totals", "differences", "scenarios", "market")
        }
        if isinstance(result, Comparison):  # which works them out once, for pages and tables alike
            extra["answered"] = lambda: result.answers
        return cls(result.model, result.measures, result.manifest, result.flows, drawn=result.drawn, **extra)

    @property
    def covered(self) -> pl.DataFrame:
        """The months of the run, and how many days it covers of each."""
        return covered_days(self.model.about.start, horizon_days(self.model, int(self.manifest["years"])))

    @property
    def titles(self) -> dict[str, str]:
        """What each strategy is called in figures, the baseline left out."""
        if self.experiment is None:
            return {}
        return {s.name: wording.short_title(s.name, s.title) for s in self.experiment.strategies}

    @cached_property
    def answers(self) -> Answers | None:
        """What the replications of a comparison answer (:mod:`simcare.decide.answers`); None of a run."""
        if self.experiment is None or self.totals is None:
            return None
        if self.answered is not None:
            return self.answered()
        return answers_of(self.experiment, self.model, self.totals, self.drawn)

    @cached_property
    def hangs_on(self) -> dict[str, tuple[str, ...]]:
        """What each strategy's change in cost to the council hangs on most: titles of up to three causes whose part is
        more than noise."""
        if self.answers is None or self.answers.tornado.is_empty():
            return {}
        clear = self.answers.tornado.filter((pl.col("measure") == MONEY) & pl.col("above_noise"))
        return {
            str(strategy): tuple(self.cause_titles(mine.head(MOST_CAUSES), str(strategy)))
            for (strategy,), mine in clear.sort("length", descending=True).group_by("strategy", maintain_order=True)
        }

    def cause_titles(self, causes: pl.DataFrame, within: str | None = None) -> list[str]:
        """What causes are called (rows with name, title and kind): an effect by the short title of its strategy, and
        without it among the causes ``within`` that strategy."""
        long = {strategy.name: strategy.title for strategy in self.experiment.strategies} if self.experiment else {}
        found = []
        for name, title, kind in causes.select("name", "title", "kind").iter_rows():
            strategy = name.partition(": ")[0]
            if kind == "effect" and strategy in long:
                what = title.removeprefix(f"{long[strategy]}: ")
                title = what[:1].upper() + what[1:] if strategy == within else f"{self.titles[strategy]}: {what}"
            found.append(title)
        return found

    def setting(self, measures: pl.DataFrame) -> Setting:
        """What all exhibits have in common; ``measures`` as :func:`shown_measures` gives them."""
        years = tuple(summaries.financial_years(measures))
        return Setting(self.model, years, summaries.replications(measures).height, self.titles)


def shown_measures(given: ReportInput) -> pl.DataFrame:
    """The measures that are drawn, summed over what no figure separates; whether there is a service or a group is
    kept, as spending shows by it.

    Zeros stand for every month of every replication, so that one in which nothing happened counts. The demand that each
    replication met is beside them, where it was drawn (:func:`simcare.report.summaries.with_met_demand`).
    """
    known = [pl.when(pl.col(name).is_not_null()).then(pl.lit("any")).alias(name) for name in ("service", "group")]
    cells = [pl.col(name).cast(pl.String) for name in ("strategy", "month", "stage", "tier", "measure")]
    used = given.measures.lazy().filter(pl.col("measure").is_in(USED)).with_columns(*known, *cells).collect()
    by = ["strategy", "replication", "month", "stage", "group", "tier", "service", "measure"]
    runs = pl.DataFrame(
        {"replication": range(int(given.manifest["replications"]))}, schema={"replication": used.schema["replication"]}
    )
    every = (
        pl.DataFrame({"strategy": [BASELINE, *given.titles]})
        .join(runs, how="cross")
        .join(given.covered.select("month"), how="cross")
    )
    costs = pl.DataFrame({"measure": [name for name in USED if name.startswith("cost")]})
    zeros = every.join(costs, how="cross").with_columns(pl.lit(0.0).alias("value"))
    summed = (
        pl.concat([used.select(*by, "value"), zeros], how="diagonal")
        .group_by(by, maintain_order=True)
        .agg(pl.col("value").sum())
    )
    return summaries.with_met_demand(summed, given.drawn)
