"""Genuine or induced: Shapley's axioms, switches that leave nothing of their mechanism, parts that add up, and what the
verb prints and writes."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from simcare.cli import app
from simcare.decide.comparison import TOTALS, compare
from simcare.errors import BadInput
from simcare.files.digests import fingerprint
from simcare.files.load import load_experiment, load_model
from simcare.files.parsing import parse
from simcare.mechanisms.shapley import shapley
from simcare.mechanisms.shares import GENUINE, TOGETHER, TOTAL, Explanation, explain, plan
from simcare.mechanisms.switches import SWITCHES, Mechanism, numbers_behind, switched_off
from simcare.model import Model
from simcare.model.response import Response
from simcare.model.strategy import Experiment, added, apply, believed, extended_by
from simcare.report.explain_page import text_of
from simcare.report.mechanism_wording import explanation_sentences
from simcare.report.page import stacked
from simcare.runs.run import run
from tests.support.paths import ROOT, TOY, TOY_LIMITS

LIMITS = TOY_LIMITS
MODELS = sorted(path.stem for path in (ROOT / "models").glob("*.toml"))
REPS = 2
BY_NAME = {mechanism.name: mechanism for mechanism in SWITCHES}


def number(value: float) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


# ---- Shapley's rule
def by_orders(values: np.ndarray) -> np.ndarray:
    """The definition by orders of arrival: each player's mean marginal worth over all of them."""
    k = len(values).bit_length() - 1
    orders = list(permutations(range(k)))
    shares = np.zeros((k, *values.shape[1:]))
    for order in orders:
        there = 0
        for player in order:
            shares[player] += values[there | 1 << player] - values[there]
            there |= 1 << player
    return shares / len(orders)


@pytest.mark.parametrize("players", [1, 2, 3, 4, 5])
def test_the_shares_are_the_mean_over_all_orders(players: int) -> None:
    games = np.random.default_rng(players).normal(size=(2**players, 3, 2))
    shares = shapley(games)
    assert shares.shape == (players, 3, 2)
    np.testing.assert_allclose(shares, by_orders(games), atol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=0), games[-1] - games[0], atol=1e-12)


def game(k: int, worth: Any) -> np.ndarray:
    return np.array([float(worth({j for j in range(k) if mask >> j & 1})) for mask in range(2**k)])


def test_in_an_additive_game_everyone_gets_their_own_worth() -> None:
    own = [3.0, -1.0, 7.0, 0.5]
    assert shapley(game(4, lambda there: 100 + sum(own[j] for j in there))).tolist() == pytest.approx(own)


def test_players_who_add_the_same_get_the_same_and_one_who_adds_nothing_gets_nothing() -> None:
    majority = game(4, lambda there: len(there - {3}) >= 2)  # two of the first three; the fourth is never needed
    assert shapley(majority).tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_two_left_gloves_and_a_right_one() -> None:
    pairs = game(3, lambda there: min(len(there & {0, 1}), len(there & {2})))  # the textbook's game
    assert shapley(pairs).tolist() == pytest.approx([1 / 6, 1 / 6, 2 / 3])


@pytest.mark.parametrize("rows", [0, 3, 12])
def test_a_game_that_is_not_given_in_full_is_refused(rows: int) -> None:
    with pytest.raises(ValueError, match="coalitions"):
        shapley(np.zeros((rows, 2)))


# ---- switches
def revalidated(model: Model) -> Model:
    return parse(Model, model.model_dump(by_alias=True), model.about.name)


@pytest.mark.parametrize("name", [*MODELS, str(TOY), str(LIMITS)], ids=lambda name: Path(name).stem)
def test_every_switch_gives_a_valid_model_without_the_mechanism(name: str) -> None:
    model = load_model(name)
    before = fingerprint(model)
    for mechanism in SWITCHES:
        off = mechanism.off(model)
        assert revalidated(off) == off
        assert not mechanism.is_on(off)
        if not mechanism.is_on(model):
            assert mechanism.off(off) == off
    assert fingerprint(model) == before, "a model is a frozen value"
    bare = switched_off(model, SWITCHES)
    assert revalidated(bare) == bare and not any(mechanism.is_on(bare) for mechanism in SWITCHES)


@pytest.mark.parametrize("name", ["prevention", "brakes", "limits", "tiered-tariffs"])
def test_a_switch_also_turns_off_what_a_strategy_turned_on(name: str) -> None:
    experiment, model = load_experiment(name)
    whole = extended_by(model, experiment)
    for strategy in experiment.strategies:
        off = switched_off(apply(whole, believed(strategy, experiment.shrinkage)), SWITCHES)
        assert not any(mechanism.is_on(off) for mechanism in SWITCHES)
        assert revalidated(off) == off


def test_every_mechanism_names_the_numbers_behind_it() -> None:
    model = load_model("kent-2013-market")
    for mechanism in SWITCHES:
        found = list(numbers_behind(mechanism, model))
        assert found, mechanism.name
        off = [figure for _, figure in numbers_behind(mechanism, mechanism.off(model)) if max(figure.value) > 0]
        assert len(off) < len(found)


def log_of(model: Model, years: int = 2) -> pl.DataFrame:
    log = run(model, years, 1, seed=3, engine="compiled", keep_log=True).log
    assert log is not None
    return log


def totals_of(model: Model) -> dict[str, float]:
    measures = run(model, 2, 1, seed=3, engine="compiled", keep_log=False).measures
    return dict(measures.group_by("measure").agg(pl.col("value").sum()).iter_rows())


def with_and_without(name: str, model: Model) -> tuple[Model, Model]:
    return model, BY_NAME[name].off(model)


def test_without_over_specification_nobody_is_placed_above_need_by_an_assessment() -> None:
    on, off = (
        log_of(m).filter(
            (pl.col("event") == "start")
            & (pl.col("cause") == "assessment")
            & (pl.col("tier").cast(pl.String) != "step_up")
        )
        for m in with_and_without("over_specification", load_model(TOY))
    )
    ladder = ["independent", "community", "placement"]

    def above(log: pl.DataFrame) -> int:
        pairs = zip(log["tier"].cast(pl.String), log["need"].cast(pl.String), strict=True)
        return sum(ladder.index(tier) > ladder.index(need) for tier, need in pairs)

    assert above(on) > 0 == above(off)
    assert off.height > 0


def test_without_learned_dependency_no_need_is_induced() -> None:
    on, off = (totals_of(m) for m in with_and_without("learned_dependency", load_model(TOY)))
    assert on["induced_need_days"] > 0 == off.get("induced_need_days", 0.0)


def test_without_waiting_nobody_waits_and_the_same_people_come() -> None:
    model = load_model(LIMITS)
    on, off = (totals_of(m) for m in with_and_without("waiting", model))
    for measure in ("queue_days", "delayed_days", "spot_days", "unsupported_transitions"):
        assert on[measure] > 0 == off.get(measure, 0.0), measure
    assert off["waiting_days"] < 0.05 * on["waiting_days"], "only those who were referred before the second day wait"
    came = [
        set(log_of(m).filter((pl.col("event") == "referral") & (pl.col("cause") == "new"))["client"])
        for m in with_and_without("waiting", model)
    ]
    assert came[0] == came[1]
    late = log_of(BY_NAME["waiting"].off(model)).filter(pl.col("time") > 40)
    referred = late.filter(pl.col("event") == "referral").select("client", "time")
    assessed = late.filter(pl.col("event") == "assessed").select("client", "time")
    same_day = referred.join(assessed, on=["client", "time"], how="semi").height
    assert same_day > 0.3 * referred.height, "who is not sent home with advice is assessed on the day"


def test_without_failure_demand_a_crisis_is_sudden_or_brings_a_newcomer() -> None:
    on, off = (
        log_of(m).filter(pl.col("event") == "crisis")["cause"].cast(pl.String).to_list()
        for m in with_and_without("failure_demand", load_model(TOY))
    )
    assert "hazard" in set(on)
    assert set(off) == {"at_once"}


def answering() -> Model:
    values = {"eta": 1.5, "horizon_days": 60, "avoidable_share": 0.3, "occupancy": 0.6}
    row = Response.model_validate(
        {"name": "homes", "owners": ["independent"], **{name: number(value) for name, value in values.items()}}
    )
    return added(load_model(TOY), (), (row,), {})


def test_without_the_answer_to_money_providers_do_as_if_the_file_said_nothing_of_it() -> None:
    on, off = (totals_of(m) for m in with_and_without("provider_holding", answering()))
    silent = totals_of(load_model(TOY))
    assert on["cost_pv"] != pytest.approx(silent["cost_pv"], rel=1e-6)
    for measure in ("cost_pv", "dependency_days", "person_days", "step_downs"):
        assert off[measure] == pytest.approx(silent[measure], rel=1e-9)


# ---- explanations
def on_toy(*strategies: dict[str, Any]) -> Experiment:
    grades = {grade: number(1) for grade in "ABCD"}
    data = {"name": "e", "title": "An experiment", "model": "toy", "years": 2, "replications": 2, "shrinkage": grades}
    return parse(Experiment, data | {"strategies": list(strategies)}, "e")


CAREFUL = {
    "name": "careful",
    "title": "Careful assessments",
    "start": "2013-09-01",
    "gbp_per_year": number(50_000),
    "changes": [{"path": "front_door.all.over_specified", "to": number(0.02)}],
    "effects": [{"on": "rise", "multiply": number(0.8) | {"low": 0.6, "high": 0.95}}],
}


pytestmark = pytest.mark.xdist_group("explain")  # what is carried out once is shared


@pytest.fixture(scope="module")
def found() -> Explanation:
    return explain(on_toy(CAREFUL), REPS, model=load_model(TOY), workers=1)


def mean_of(frame: pl.DataFrame, strategy: str, measure: str, part: str) -> float:
    return float(
        frame.filter((pl.col("strategy") == strategy) & (pl.col("measure") == measure) & (pl.col("part") == part))[
            "mean"
        ].item()
    )


@pytest.mark.parametrize("strategy", ["baseline", "careful"])
def test_the_parts_add_up_to_every_total(found: Explanation, strategy: str) -> None:
    for measure in TOTALS:
        part = {
            name: mean_of(found.shares, strategy, measure, name)
            for name in (GENUINE, TOGETHER, TOTAL, *(m.name for m in found.plan.mechanisms))
        }
        mechanisms = sum(part[m.name] for m in found.plan.mechanisms)
        scale = max(1.0, abs(part[TOTAL]))
        assert mechanisms == pytest.approx(part[TOGETHER], abs=1e-9 * scale)
        assert part[GENUINE] + mechanisms == pytest.approx(part[TOTAL], abs=1e-9 * scale)


def test_everything_on_is_the_comparison_and_everything_off_the_bare_model(found: Explanation) -> None:
    compared = compare(on_toy(CAREFUL), REPS, model=load_model(TOY), workers=1)
    for measure in ("cost_pv", "dependency_days", "crises", "person_days"):
        row = compared.differences.filter(pl.col("measure") == measure).row(0, named=True)
        moved = found.moved.filter((pl.col("measure") == measure) & (pl.col("part") == TOTAL)).row(0, named=True)
        assert (moved["mean"], moved["low"], moved["high"]) == pytest.approx(
            (row["difference"], row["low"], row["high"])
        )
        assert mean_of(found.shares, "baseline", measure, TOTAL) == pytest.approx(row["baseline_mean"])
    bare = run(
        switched_off(load_model(TOY), SWITCHES), 2, REPS, seed=1, engine="compiled", workers=1, keep_log=False
    ).measures
    cost = float(bare.filter(pl.col("measure") == "cost_pv")["value"].sum()) / REPS
    assert mean_of(found.shares, "baseline", "cost_pv", GENUINE) == pytest.approx(cost)


def test_what_moved_is_the_difference_of_two_attributions(found: Explanation) -> None:
    for part in (GENUINE, *(m.name for m in found.plan.mechanisms)):
        before, after = (mean_of(found.shares, strategy, "cost_pv", part) for strategy in ("baseline", "careful"))
        assert mean_of(found.moved, "careful", "cost_pv", part) == pytest.approx(after - before, abs=1.0)
    assert (
        mean_of(found.moved, "careful", "cost_pv", "over_specification")
        < 0
        < mean_of(found.shares, "careful", "cost_pv", "over_specification")
    )


def test_every_run_is_kept_with_its_setting(found: Explanation) -> None:
    mechanisms = [m.name for m in found.plan.mechanisms]
    assert found.settings.height == found.plan.runs == 16 * 2 * REPS
    assert found.settings.select("strategy", *mechanisms, "replication").is_unique().all()
    off = found.settings.filter(~pl.col("learned_dependency"))
    assert off["induced_need_days"].max() == 0 < found.settings["induced_need_days"].max()
    on = found.settings.filter(pl.all_horizontal(mechanisms) & (pl.col("strategy") == "baseline"))
    assert on["cost_pv"].mean() == pytest.approx(mean_of(found.shares, "baseline", "cost_pv", TOTAL))


def test_a_switch_alone_is_the_first_and_the_last_step(found: Explanation) -> None:
    def cost(*off: Mechanism) -> float:
        measures = run(
            switched_off(load_model(TOY), off), 2, REPS, seed=1, engine="compiled", workers=1, keep_log=False
        ).measures
        return float(measures.filter(pl.col("measure") == "cost_pv")["value"].sum()) / REPS

    row = found.shares.filter(
        (pl.col("strategy") == "baseline") & (pl.col("measure") == "cost_pv") & (pl.col("part") == "waiting")
    ).row(0, named=True)
    others = [m for m in found.plan.mechanisms if m.name != "waiting"]
    assert row["alone"] == pytest.approx(cost() - cost(BY_NAME["waiting"]), rel=1e-6)
    assert row["only"] == pytest.approx(cost(*others) - cost(*others, BY_NAME["waiting"]), rel=1e-6)


def test_every_sentence_names_the_period(found: Explanation) -> None:
    said = explanation_sentences(found)
    assert len(said) == 1 + 4 + 1
    assert all("2013/14 to 2014/15" in sentence for sentence in said), said
    assert all(sentence.endswith(".") for sentence in said)


def test_the_page_has_the_numbers_and_asks_the_network_for_nothing(found: Explanation) -> None:
    text = text_of(found, "simcare explain <e>")
    assert "<script src" not in text and "http-equiv" in text and "simcare explain &lt;e&gt;" in text
    for part in (
        "Over-specification",
        "Learned dependency",
        "Waiting",
        "Failure demand",
        "Careful assessments",
        "front_door[all].over_specified",
    ):
        assert part in text
    assert "Not in this model: providers&#39; answer to money" in text
    row = found.shares.filter((pl.col("measure") == "cost_pv") & (pl.col("part") == "over_specification")).row(
        0, named=True
    )
    millions = f"+£{row['mean'] / 1e6:.1f}"
    assert millions in text and text.count('class="plot"') == 2


def test_an_interval_in_a_cell_is_escaped() -> None:
    assert str(stacked("<b> (1 to 2)")) == '<span class="n">&lt;b&gt;</span> <span class="of">(1 to 2)</span>'
    assert str(stacked("<b>")) == "&lt;b&gt;"


# ---- the verb
def verb(*args: str) -> Any:
    return CliRunner().invoke(app, ["explain", *args], catch_exceptions=True, env={"COLUMNS": "160", "NO_COLOR": "1"})


def test_the_verb_prints_json_only_and_writes_its_folder(tmp_path: Path) -> None:
    done = verb(str(TOY), "--years", "1", "--reps", "2", "--workers", "1", "--json", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert {"manifest", "out", "runs", "not_in_this_model", "findings", "shares", "moved"} == set(printed)
    assert (
        printed["runs"] == printed["manifest"]["runs"] == 32
        and printed["not_in_this_model"] == ["provider_holding"]
        and printed["moved"] == []
    )
    assert "32 runs of 1 years" not in done.stdout and "32 runs of 1 year" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "explain.csv",
        "manifest.json",
        "report.html",
        "settings.parquet",
    }
    shares = pl.read_csv(tmp_path / "out" / "explain.csv")
    assert shares.height == len(printed["shares"]) == len(TOTALS) * 7
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["mechanisms"] == ["over_specification", "learned_dependency", "waiting", "failure_demand"]
    assert pl.read_parquet(tmp_path / "out" / "settings.parquet").height == 32


def test_the_terminal_shows_shares_and_sentences(tmp_path: Path) -> None:
    done = verb(str(TOY), "--years", "1", "--reps", "2", "--workers", "1", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    text = " ".join(done.output.split())
    assert "Cost over 2013/14 at present value, as things are" in text and "All mechanisms" in text
    assert (
        "Providers' answer to money: not in this model." in text and "what the model counts as genuine demand" in text
    )


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("mm-infinity",), "mm-infinity: has none of the mechanisms of induced demand ("),
        (("preventoin",), "preventoin: unknown 'preventoin', did you mean 'prevention'?"),
        (("no/such.toml",), "no/such.toml: no such file"),
        (("prevention", "--strategy", "early_hlep"), "strategies: unknown 'early_hlep', did you mean 'early_help'?"),
        (
            ("kent-2013", "--strategy", "early_help"),
            "strategies: 'kent-2013' is a model; give an experiment to explain a strategy",
        ),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(args: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = verb(*args, "--out", str(tmp_path / "out"))
    assert isinstance(done.exception, BadInput) and done.exception.exit_code == 2, done.output
    assert str(done.exception).startswith(sentence) and len(done.exception.faults) == 1
    assert not (tmp_path / "out").exists()


def test_one_replication_gives_no_interval_and_is_refused() -> None:
    with pytest.raises(BadInput, match="replications: must be 2 or more"):
        plan("kent-2013", 1)
