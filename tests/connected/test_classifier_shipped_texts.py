"""Clean text stays clean: nothing that ships with the program (workflows, frameworks) is taken for private."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.worker.shipped import shipped_frameworks
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.detection import make_detector

pytestmark = [pytest.mark.connected, pytest.mark.model]


def instructions() -> Iterator[tuple[str, str]]:
    """Yield what each step of each workflow says to whoever does it."""
    for file in _tables(files("hybridmesh.agents.decomposer").joinpath("shipped")):
        workflow = tomllib.loads(file.read_text("utf-8"))
        yield file.name, f"{workflow['title']}. {workflow['description']}"
        for step in workflow["steps"]:
            yield f"{file.name}/{step['id']}", step["instruction"]


def _tables(folder: Traversable) -> list[Traversable]:
    return [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]


def questions() -> Iterator[tuple[str, str]]:
    """Yield what each framework asks and writes, in all languages."""
    for key, framework in shipped_frameworks().items():
        asked = [*(slot.question for slot in framework.slots), *(check.question for check in framework.checks)]
        for number, text in enumerate([framework.title, *asked, framework.template]):
            yield f"{key}/{number}", text


TEXTS = dict([*instructions(), *questions()])


@pytest.fixture(scope="module")
def shipped_detector() -> Iterator[Detector]:
    detector = make_detector(MeshSettings())
    yield detector
    detector.close()


async def test_no_shipped_text_is_touched(shipped_detector: Detector) -> None:
    """Nothing is lost: an instruction reaches whoever does the step word for word."""
    assert len(TEXTS) > 100
    found = {name: await shipped_detector.find([text]) for name, text in TEXTS.items()}
    assert {name: spans for name, [spans] in found.items() if spans} == {}
