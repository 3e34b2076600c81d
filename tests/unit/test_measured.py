"""Nothing is hidden: no function relies on a model further than it was measured."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.quality import report
from bench.quality.cases import LANGUAGES, fingerprint
from bench.quality.report import read_results
from bench.quality.scoring import wilson
from house import Module, called, modules
from hybridmesh.bus.topology import producers_of
from hybridmesh.infra.models.build import fingerprint as fingerprint_of
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.schemas import measured
from hybridmesh.schemas.measured import (
    CHECK,
    FIGURES,
    FREE_TEXT,
    LARGE_B,
    REJECTION,
    RELIANCES,
    Figure,
    Reliance,
    relied_on,
)
from hybridmesh.schemas.steps import StepVerified


def named() -> dict[str, Reliance]:
    """Return the reliances by the names that the agents know them under."""
    return {name: value for name, value in vars(measured).items() if isinstance(value, Reliance)}


def functions_that_call(name: str) -> Iterator[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef, ast.Call]]:
    """Yield each call of ``name`` in an agent's function; nobody reads what the engine says while it warms up."""
    for module in modules():
        if not module.stands_in("agents/*") or module.stands_in("agents/worker/onnx_*"):
            continue
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in ast.walk(node):
                    if isinstance(call, ast.Call) and called(call.func) == name:
                        yield module, node, call


def test_the_figures_are_those_of_the_benchmark() -> None:
    """Nothing is hidden: what the agents go by is what was measured, on the cases as they stand now."""
    results = read_results()
    assert results["cases"]["sha256"] == fingerprint(), "the cases have changed: run `make bench-quality` again"
    rows = dict.fromkeys(reliance.row for reliance in RELIANCES)
    wanted = {
        name: {
            row: Figure(found["rows"][f"{row} all"]["right"], found["rows"][f"{row} all"]["of"])
            for row in rows
            if f"{row} all" in found["rows"]
        }
        for name, found in results["models"].items()
    }
    assert {name: dict(row) for name, row in FIGURES.items()} == wanted
    for name, found in results["models"].items():
        assert {row.rpartition(" ")[2] for row in found["rows"]} == {"all", *LANGUAGES}
        built = fingerprint_of(CATALOG[name], half=False)
        assert found["revision"] == built, f"{name} is built otherwise: run `make bench-quality QUALITY_MODELS={name}`"
        assert found["versions"]


def test_the_page_says_what_the_table_says() -> None:
    """Nothing is hidden: who reads the page reads what the agents go by."""
    page = (Path(report.__file__).parent / "README.md").read_text("utf-8")
    assert page.endswith(report.reliance_page()), f"the page has to end with\n{report.reliance_page()}"


def test_every_question_to_the_model_names_its_row() -> None:
    """Nothing is hidden: who words a new question for the model has to say what was measured of the answers."""
    asked = {f"{module.path}:{node.name}" for module, node, _ in functions_that_call("CompletionRequest")}
    assert asked == {reliance.asks for reliance in RELIANCES}
    assert set(RELIANCES) == set(named().values())
    assert all(reliance.below for reliance in RELIANCES)


def test_the_agents_take_their_thresholds_from_here() -> None:
    """Nothing is hidden: each reliance with a threshold is asked for where its answer is weighed, and nowhere else."""
    used = {
        (module.path, argument.id)
        for module, _, call in functions_that_call("relied_on")
        for argument in call.args[1:]
        if isinstance(argument, ast.Name)
    }
    assert used == {(each.decides, name) for name, each in named().items() if each.least is not None}


def test_no_text_of_a_model_is_released_unverified() -> None:
    """Nothing private leaves: a result comes from the verifier, or through the router from a person who read it."""
    assert FREE_TEXT.least is None
    assert producers_of(StepVerified) == {"verifier", "router"}


def test_a_share_counts_by_the_low_end_of_its_interval() -> None:
    """Nothing is hidden: few cases are no proof, and the figure is Wilson's as in the results."""
    assert Figure(40, 56).low == pytest.approx(wilson(40, 56)[0])
    assert Figure(4, 4).low < 0.6 < Figure(40, 40).low


@pytest.mark.parametrize(
    ("model", "relied"),
    [
        (None, True),
        ("measured-0.5b", False),
        ("measured-1.5b", True),
        ("new-1.5b", False),
        ("new-7b", True),
        ("x", False),
    ],
)
def test_who_is_relied_on(model: str | None, relied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is hidden: a measured model goes by its figure, another one by its size."""
    figures = {"measured-0.5b": {REJECTION.row: Figure(30, 56)}, "measured-1.5b": {REJECTION.row: Figure(55, 56)}}
    monkeypatch.setattr(measured, "FIGURES", figures)
    assert relied_on(model, REJECTION) is relied
    assert not relied_on(model, FREE_TEXT)
    assert LARGE_B == 3.0
    assert relied_on("measured-1.5b", CHECK) is False
