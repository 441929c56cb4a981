"""The report in a real browser: it draws its figures, asks the network for nothing, and fits a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from simcare.calibrate.identify import Identified, Profile
from simcare.calibrate.reading import load_calibration
from simcare.calibrate.scoring import HindcastSeries
from simcare.decide.comparison import compare
from simcare.report.calibration_page import profile_frame
from simcare.report.exhibit import Exhibit
from simcare.report.figures import fits
from simcare.report.folders import write_comparison
from simcare.report.hindcast_page import theme_frame
from simcare.report.page import page, section_of
from simcare.report.run_page import write_report
from tests.browser.chromium import chromium
from tests.support.report_sample import sample_contracts, sample_limited

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]
ALL_DRAWN = "document.querySelectorAll('.js-plotly-plot:not(:has(svg.main-svg))').length === 0"
DESKTOP, PHONE = (1280, 900), (390, 844)
ENDS = ("low", "median", "high")

pytestmark = pytest.mark.xdist_group("browser")  # one worker, so that the report is made once


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the shipped comparison, cut to two replications of two years: the strategies start in the
    second."""
    found = compare("prevention", 2, years=2, workers=1)
    return write_comparison(
        found, tmp_path_factory.mktemp("report") / "prevention", "simcare compare prevention --years 2 --reps 2"
    )


@dataclass
class Visit:
    """What happened when a page was opened."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    drawn: int = 0
    expected: int = 0
    empty: int = 0
    page_px: int = 0
    window_px: int = 0


def visit(browser: Browser, report: Path, size: tuple[int, int]) -> Visit:
    """Open the report, scroll through it, and note every request and every complaint."""
    seen = Visit()
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("websocket", lambda socket: seen.requests.append(socket.url))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on(
        "console", lambda message: seen.errors.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.goto(report.as_uri())
    page.wait_for_selector("svg.main-svg", state="attached", timeout=60_000)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function(ALL_DRAWN)
    page.wait_for_load_state("networkidle")
    seen.expected = page.locator(".js-plotly-plot").count()
    seen.drawn = page.locator(".js-plotly-plot:has(svg.main-svg)").count()
    boxes = "e => e.map(x => x.getBoundingClientRect()).filter(b => b.width < 50 || b.height < 50).length"
    seen.empty = page.locator(".js-plotly-plot").evaluate_all(boxes)
    seen.page_px = page.evaluate("document.documentElement.scrollWidth")
    seen.window_px = page.evaluate("document.documentElement.clientWidth")
    context.close()
    return seen


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(sample_limited(), tmp_path_factory.mktemp("limited") / "report.html")


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(sample_contracts(), tmp_path_factory.mktemp("contracts") / "report.html")


@pytest.fixture(scope="module", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def seen(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Visit:
    return visit(browser, report, request.param)


def test_the_report_asks_the_network_for_nothing(seen: Visit, report: Path) -> None:
    assert [url for url in seen.requests if not url.startswith(("data:", "blob:"))] == [report.as_uri()]


def test_the_browser_has_nothing_to_complain_about(seen: Visit) -> None:
    assert seen.errors == []


def test_every_figure_is_drawn(seen: Visit) -> None:
    assert seen.drawn == seen.expected >= 2
    assert seen.empty == 0


def test_the_page_does_not_scroll_sideways(seen: Visit) -> None:
    assert seen.page_px <= seen.window_px


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_report_of_places_that_run_out_draws_its_figures_too(
    browser: Browser, limited: Path, size: tuple[int, int]
) -> None:
    seen = visit(browser, limited, size)
    assert seen.errors == []
    assert (
        seen.drawn == seen.expected == 9
    )  # the comparison and the change in cost; of the baseline four stages, waits, cost and moves
    assert seen.empty == 0
    assert seen.page_px <= seen.window_px


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_report_of_contracts_and_scenarios_draws_its_sweeps_too(
    browser: Browser, contracts: Path, size: tuple[int, int]
) -> None:
    seen = visit(browser, contracts, size)
    assert seen.errors == []
    assert (
        seen.drawn == seen.expected == 10
    )  # the comparison and the change in cost; two sweeps; of the baseline four stages, cost and moves
    assert seen.empty == 0
    assert seen.page_px <= seen.window_px


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_figures_of_a_calibration_are_drawn_and_fit(
    browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    calibration = load_calibration("kent-2013").calibration
    count = len(calibration.free)
    range_ = np.tile([0.5, 1.0, 2.0], (count, 1))
    curve = Profile(np.linspace(0.5, 2, 9), -(np.linspace(-2, 2, 9) ** 2), -0.5 * np.linspace(-2, 2, 9) ** 2)
    known = Identified(
        range_, range_, np.linspace(0.4, 1.0, count), np.eye(count), (), (curve,) * count, (None,) * count
    )
    ends = {
        f"{which}_{end}": value for which in ("prior", "posterior") for end, value in zip(ENDS, range_[0], strict=True)
    }
    parameters = (
        pl.DataFrame({"title": [row.title for row in calibration.free], "width": known.widths})
        .with_columns(pl.lit(value).alias(name) for name, value in ends.items())
        .with_columns(prior_driven=pl.col("width") >= 0.8)
    )
    dates = [dt.date(year, 3, 31) for year in (2014, 2015)]
    said = pl.DataFrame({
        "date": dates, "q5": [80.0, 70.0], "q25": [90.0, 85.0], "q50": [100.0, 100.0], "q75": [110.0, 115.0],
        "q95": [120.0, 130.0], "published": [105.0, 140.0], "in90": [True, False]
    })  # fmt: skip
    paths = [
        HindcastSeries(target, [(dt.date(2013, 3, 31), 95.0)], said, [95.0, 95.0]) for target in calibration.targets[:4]
    ]
    figures = [
        fits.uncertainty_figure(parameters),
        fits.profile_figure(profile_frame(calibration.free, known)),
        fits.hindcast_figure(theme_frame(paths), "What was forecast, and the outturn"),
    ]
    file = tmp_path / "page.html"
    shown = [Exhibit(f"figure-{k}", str(k), pl.DataFrame(), figure=figure) for k, figure in enumerate(figures)]
    file.write_text(page("A calibration", "", (), [section_of(one) for one in shown]), encoding="utf-8")
    seen = visit(browser, file, size)
    assert seen.errors == []
    assert seen.drawn == seen.expected == 3 and seen.empty == 0
    assert seen.page_px <= seen.window_px
    assert "1 of 2 values inside the 90% interval" in figures[2].layout.meta["alt"]
    assert "40% of prior uncertainty remaining" in figures[0].layout.meta["alt"]


def test_a_request_to_the_network_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "leaky.html"
    page.write_text(
        "<svg class='main-svg'></svg><img src='http://localhost:9/x.png'><script>console.error('oh')</script>",
        encoding="utf-8",
    )
    seen = visit(browser, page, DESKTOP)
    assert seen.requests == [page.as_uri(), "http://localhost:9/x.png"]
    assert "oh" in seen.errors
