"""The report of a run or a comparison: what was asked, what was found, how sure it is, and what it rests on."""

from __future__ import annotations

from pathlib import Path

from simcare.files.atomic import write_file
from simcare.model.cautions import warning_lines
from simcare.report import wording
from simcare.report.contracts import contract_sections
from simcare.report.decision import decision_section
from simcare.report.demand import demand_section
from simcare.report.findings import comparison_section, findings_section
from simcare.report.fit_wording import drawn_sentence
from simcare.report.frames import Frames
from simcare.report.method import method_section
from simcare.report.page import Chooser, Section, page
from simcare.report.providers import providers_section
from simcare.report.report_input import ReportInput, Result
from simcare.report.scenarios import scenario_sections
from simcare.report.sources import sources_section
from simcare.report.views import cost_section, moves_section, people_section, waits_section


def write_report(result: Result, path: str | Path) -> Path:
    """Write the report of a run or a comparison to ``path`` and return it. The file is complete or it is not there."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, html(ReportInput.of(result)))
    return path


def html(given: ReportInput) -> str:
    """The whole page as text."""
    return run_page(Frames(given))


def run_page(frames: Frames) -> str:
    """The whole page as text, from frames that may be used for files as well."""
    given = frames.given
    title = given.experiment.title if given.experiment else given.model.about.title
    notes = warning_lines(given.manifest.get("warnings", ()))
    return page(title, _asked(frames), notes, run_sections(frames), frames.setting.period)


def run_sections(frames: Frames) -> list[Section | Chooser]:
    """Everything the page shows, in order; sections that have nothing to show are left out."""
    given = frames.given
    drawn = drawn_sentence(given.manifest)
    names = list(frames.setting.names.values())
    shown: list[Section | Chooser | None] = [
        decision_section(frames),
        findings_section(frames, drawn),
        comparison_section(frames),
        rewards_section(frames),
        providers_section(frames),
        Chooser(names) if len(names) > 1 else None,
        demand_section(frames),
        people_section(frames),
        waits_section(frames),
        cost_section(frames),
        moves_section(frames),
        sources_section(given),
        method_section(frames),
    ]
    return [section for section in shown if section is not None]


def rewards_section(frames: Frames) -> Section | None:
    """What contracts and scenarios show; None where the experiment has neither."""
    period = frames.setting.period
    paid = contract_sections(frames.given, period)
    swept = scenario_sections(frames.given, period, frames.setting.replications)
    if not paid and not swept:
        return None
    heading = "Contracts and what they reward" if paid else "The strategies in other scenarios"
    contents = "Contracts" if paid else "Scenarios"
    return Section(f"{heading}, {period}", [*paid, *swept], key="rewards", contents=contents)


def _asked(frames: Frames) -> str:
    """The question that the page answers."""
    experiment, period, runs = frames.given.experiment, frames.setting.period, frames.setting.replications
    by = f"by the model “{frames.given.model.about.title}”"
    if experiment is None:
        asked = f"What care will cost and how many people it will serve in {period}, if nothing changes"
        return f"{asked}, {by}, in {wording.count_words(runs)} {'replication' if runs == 1 else 'replications'}."
    count = len(experiment.strategies)
    what = "one strategy is" if count == 1 else f"{wording.count_words(count)} strategies are"
    asked = f"How {what} expected to change cost and independence in {period} compared with the baseline"
    return f"{asked}, {by}, in {runs} paired replications."
