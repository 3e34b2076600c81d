"""What the doctor looks at may be broken itself: that is a finding, and no end of the examination."""

from pathlib import Path

import pytest

from hybridmesh.bus.endpoint import Endpoint as Written
from hybridmesh.bus.settings import MeshSettings, ModelSettings
from hybridmesh.infra import doctor_probes
from hybridmesh.infra.doctor import Endpoint, Trouble
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.models.entry import Entry

NAME = "smollm2-135m"


def settings_for(cache: Path) -> MeshSettings:
    return MeshSettings(cache=cache, models=ModelSettings(local=NAME, detector=NAME, embedder=NAME))


@pytest.mark.parametrize("below", ["", "models"])
def test_a_cache_that_cannot_be_written_is_told_before_the_first_start(tmp_path: Path, below: str) -> None:
    """Nothing is hidden: where a model has still to be prepared and cannot be, no mesh can start."""
    (tmp_path / "file").touch()
    seen = doctor_probes._models(settings_for(tmp_path / "file" / below))
    assert isinstance(seen, Trouble)
    assert NAME in seen.text
    assert "cannot be written" in seen.text
    assert "cache" in seen.remedy


def test_a_disk_that_is_too_small_is_told_before_the_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is hidden: the first start would refuse it as well."""
    small = CATALOG[NAME]
    huge = Entry(NAME, "causal", small.title, small.licence, small.notice, small.files, 10**18)
    monkeypatch.setitem(CATALOG, NAME, huge)
    seen = doctor_probes._models(settings_for(tmp_path / "models"))
    assert isinstance(seen, Trouble)
    assert "are free" in seen.text
    assert not (tmp_path / "models").exists()


def test_a_cache_with_room_is_no_trouble(tmp_path: Path) -> None:
    """It runs on what you have: a model that is not prepared yet is no obstacle."""
    assert doctor_probes._models(settings_for(tmp_path / "models")) == {NAME: None}


def test_what_a_mesh_left_behind_may_be_anything(tmp_path: Path) -> None:
    """Nothing is hidden: a note of a running mesh that cannot be read hides none of the other findings."""
    Written(url="nats://127.0.0.1:99999", pid=7).write(tmp_path)
    assert doctor_probes._endpoint(tmp_path) == Endpoint("nats://127.0.0.1:99999", 7, "none", answers=False)
    (tmp_path / "mesh.json").unlink()
    (tmp_path / "mesh.json").mkdir()
    assert doctor_probes._endpoint(tmp_path) is None


@pytest.mark.parametrize("below", ["", "mesh"])
def test_a_file_is_no_data_folder(tmp_path: Path, below: str) -> None:
    """Nothing is hidden: the first start would end there, so the doctor does not call it well."""
    (tmp_path / "file").touch()
    seen = doctor_probes._room(tmp_path / "file" / below)
    assert isinstance(seen, Trouble)
    assert "is no folder" in seen.text
    assert "--data" in seen.remedy
