"""An operator's own figures: what `make bench-quality` wrote is what the agents go by, and nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.quality.report import RESULTS
from hybridmesh.agents.verifier.judgement import rejects, settles
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.settings import MeshSettings, ModelSettings
from hybridmesh.infra import doctor_probes
from hybridmesh.infra.doctor import Trouble
from hybridmesh.infra.models.build import fingerprint
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.models.exported import EXPORTED, exported_entry, revision_of
from hybridmesh.infra.models.manifest import Manifest
from hybridmesh.infra.own_figures import read_figures
from hybridmesh.schemas.measured import (
    CHOICE,
    FIGURES,
    FREE_TEXT,
    PLAN,
    REJECTION,
    RELIANCES,
    SETTLING,
    Figure,
    relied_on,
)
from hybridmesh.schemas.plans import OutputForm

SMALL = "qwen2.5-coder-1.5b"
ALL_RIGHT = {f"{each.row} all": {"right": 99, "of": 99, "share": 1.0} for each in RELIANCES}


def settings_of(tmp_path: Path, models: dict[str, Any] | str) -> MeshSettings:
    """Return settings that name a results file with these models, or with this text."""
    file = tmp_path / "quality.json"
    file.write_text(models if isinstance(models, str) else json.dumps({"cases": {"total": 1}, "models": models}))
    return MeshSettings(cache=tmp_path / "models", models=ModelSettings(figures=file))


def exported(tmp_path: Path, name: str, words: str = "weights") -> str:
    """Put an exported model into the cache; returns the revision that it would be measured under."""
    folder = tmp_path / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    (folder / "model.onnx").write_text(words)
    entry = exported_entry(name, "causal", name, 1)
    manifest = Manifest.describe(entry, folder, source=EXPORTED, fingerprint=fingerprint(entry, half=False))
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return revision_of(manifest)


def measured(revision: str, rows: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"revision": revision, "date": "2026-11-26", "rows": ALL_RIGHT if rows is None else rows, "not_right": {}}


def test_what_the_benchmark_writes_is_read(tmp_path: Path) -> None:
    """Nothing is hidden: the file of the benchmark itself says what ships, and is nobody's own."""
    assert read_figures(MeshSettings()) is FIGURES
    settings = settings_of(tmp_path, RESULTS.read_text("utf-8"))
    assert read_figures(settings) == FIGURES
    assert str(doctor_probes._figures(settings)).endswith("quality.json: as those that ship")


def test_a_model_goes_by_its_own_figures_and_not_by_the_size_in_its_name(tmp_path: Path) -> None:
    """Nothing is hidden: a large model that was measured to be wrong is not relied on, a small one that is right is."""
    few = {name: {"right": 1, "of": 99} for name in ALL_RIGHT}
    models = {
        "mine-7b": measured(exported(tmp_path, "mine-7b"), few),
        "mine": measured(exported(tmp_path, "mine")),
        SMALL: measured(fingerprint(CATALOG[SMALL], half=True)),
    }
    settings = settings_of(tmp_path, models)
    figures = read_figures(settings)
    assert set(figures) == {*FIGURES, "mine-7b", "mine"}
    assert figures["mine"][CHOICE.row] == Figure(99, 99)
    for name, reliance, before, after in (
        ("mine-7b", PLAN, True, False),
        ("mine", PLAN, False, True),
        (SMALL, CHOICE, False, True),
        ("another-7b", CHOICE, True, True),
        ("qwen2.5-coder-0.5b", CHOICE, False, False),
    ):
        assert relied_on(name, reliance) is before
        assert relied_on(name, reliance, figures=figures) is after
    told = doctor_probes._figures(settings)
    assert isinstance(told, str)
    for words in ("mine-7b is relied on in 0 of 6", "mine is relied on in 5 of 6", f"{SMALL} is relied on in 5 of 6"):
        assert words in told


def test_no_figures_let_a_small_model_release_free_text(tmp_path: Path) -> None:
    """Nothing private leaves unread: below 3B a Yes settles no doubt, whatever it was measured at."""
    models = {name: measured(exported(tmp_path, name)) for name in ("mine-2.9b", "mine", "mine-3b")}
    figures = read_figures(settings_of(tmp_path, {**models, SMALL: measured(fingerprint(CATALOG[SMALL], half=False))}))
    text = OutputForm(kind="text")
    for name, may in (("mine-2.9b", False), ("mine", False), (SMALL, False), ("mine-3b", True)):
        assert settles(name, text, figures) is may
        assert relied_on(name, SETTLING, figures=figures) is may
        assert rejects(name, text, figures)
        assert relied_on(name, REJECTION, figures=figures)
        assert not relied_on(name, FREE_TEXT, figures=figures)


BUILT = fingerprint(CATALOG[SMALL], half=False)


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ("{", "Invalid JSON"),
        ("[]", "should be an object"),
        ({}, "models: Dictionary should have at least 1 item"),
        ({SMALL: {"rows": ALL_RIGHT}}, f"models.{SMALL}.revision: Field required"),
        ({SMALL: measured(BUILT, {"verification/no all": {"right": -1, "of": 3}})}, "greater than or equal to 0"),
        ({SMALL: measured(BUILT, {"verification/no all": {"right": 0, "of": 0}})}, "greater than or equal to 1"),
        ({SMALL: measured(BUILT, {"verification/no all": {"right": 4, "of": 3}})}, "more answers are right than were"),
        ({SMALL: measured(BUILT, {"verification/no en": {"right": 1, "of": 3}})}, "no row that anything relies on"),
        ({"nobody-7b": measured(BUILT)}, "nobody-7b is no local model here"),
        ({"../mine": measured(BUILT)}, "../mine is no local model here"),
        ({"minilm-l6-int8": measured(BUILT)}, "minilm-l6-int8 is no local model here"),
        ({SMALL: measured("0" * 64)}, f"{SMALL} was measured as another build"),
        ({"mine": measured(BUILT)}, "mine was measured as another build"),
    ],
)
def test_figures_that_are_of_something_else_are_refused(
    tmp_path: Path, models: dict[str, Any] | str, told: str
) -> None:
    """Nothing is hidden: the file is named with what is wrong in it, and what to do."""
    exported(tmp_path, "mine")
    settings = settings_of(tmp_path, models)
    with pytest.raises(SetupError) as caught:
        read_figures(settings)
    assert str(caught.value).startswith(str(settings.models.figures))
    assert told in str(caught.value)
    assert caught.value.remedy
    assert doctor_probes._figures(settings) == Trouble(str(caught.value), caught.value.remedy)


@pytest.mark.parametrize("name", ["none.json", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """Nothing is hidden."""
    file = tmp_path / name
    with pytest.raises(SetupError, match="cannot be read") as caught:
        read_figures(MeshSettings(models=ModelSettings(figures=file)))
    assert str(caught.value).startswith(str(file))


def test_a_model_that_was_exported_anew_has_to_be_measured_anew(tmp_path: Path) -> None:
    """Nothing is hidden: the name is the same and the weights are others."""
    settings = settings_of(tmp_path, {"mine": measured(exported(tmp_path, "mine"))})
    assert "mine" in read_figures(settings)
    exported(tmp_path, "mine", "other weights")
    with pytest.raises(SetupError, match="another build"):
        read_figures(settings)


def test_a_prepared_model_counts_by_the_build_that_is_there(tmp_path: Path) -> None:
    """Nothing is hidden: figures of the 16-bit build say nothing of the one that this machine runs."""
    settings = settings_of(tmp_path, {SMALL: measured(fingerprint(CATALOG[SMALL], half=True))})
    assert read_figures(settings)[SMALL] != FIGURES[SMALL]
    folder = tmp_path / "models" / SMALL
    folder.mkdir(parents=True)
    manifest = Manifest.describe(CATALOG[SMALL], folder, source="hub", fingerprint=BUILT)
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    with pytest.raises(SetupError, match="another build"):
        read_figures(settings)
