"""The contract as files: JSON Schemas that follow the models, and bodies of each version that stay readable."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from pydantic import BaseModel, ValidationError

import hybridmesh.schemas
from hybridmesh.bus.topology import ROOT, Ask, message_types
from hybridmesh.infra.documents import COMMAND, drift, generated, main, write
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.registry import EXCHANGES, MESSAGES, contract, schema_id, schema_of

CHECKOUT = Path(__file__).resolve().parents[2]
GOLDEN = CHECKOUT / "tests" / "golden"
NAMES = sorted(contract())
UNKNOWN = {"later": [1, "ü", {"deep": None}]}


def golden(name: str) -> dict[str, dict[str, Any]]:
    """Return the bodies kept of a contract name: ``least`` holds required fields only, ``full`` all of its time."""
    return cast("dict[str, dict[str, Any]]", json.loads((GOLDEN / f"{name}.json").read_text("utf-8")))


def children(value: object) -> Iterator[object]:
    """Yield what lies directly inside a field's value."""
    if isinstance(value, tuple | list):
        yield from cast("tuple[object, ...]", value)
    else:
        yield value


def with_unknown(model: BaseModel, dumped: dict[str, Any]) -> dict[str, Any]:
    """Return a body with an unknown field in each object that is a model, at every depth."""
    changed = {**dumped, "from_the_future": UNKNOWN}
    for name in type(model).model_fields:
        value: object = getattr(model, name)
        parts = [
            with_unknown(child, cast("dict[str, Any]", inner)) if isinstance(child, BaseModel) else inner
            for child, inner in zip(children(value), children(dumped[name]), strict=True)
        ]
        changed[name] = parts if isinstance(value, tuple) else parts[0]
    return changed


def strangers(model: BaseModel) -> list[str]:
    """Return the fields of a body, at every depth, that the model of today does not know."""
    found = [f"{type(model).__name__}.{name}" for name in model.model_extra or {}]
    for name in type(model).model_fields:
        for child in children(getattr(model, name)):
            if isinstance(child, BaseModel):
                found += strangers(child)
    return found


def keeps(later: object, earlier: object) -> bool:
    """Say whether a body still holds all that it held before; fields that came later may stand beside it."""
    match earlier, later:
        case dict(), dict():
            old, new = cast("dict[str, object]", earlier), cast("dict[str, object]", later)
            return all(name in new and keeps(new[name], value) for name, value in old.items())
        case list(), list():
            before, after = cast("list[object]", earlier), cast("list[object]", later)
            return len(before) == len(after) and all(map(keeps, after, before))
        case _:
            return earlier == later


@pytest.fixture(scope="module")
def files() -> dict[Path, str]:
    """The documents as the code has them."""
    return generated()


def test_the_committed_documents_follow_the_code(files: dict[Path, str]) -> None:
    """Nothing is hidden: what outsiders read of the contract is what the program does."""
    changed = drift(CHECKOUT, files)
    assert not changed, f"run `{COMMAND}`: {changed}"


def test_drift_is_seen_and_mended(files: dict[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is hidden: a missing, an edited and a left-over file are named, with the command that mends them."""
    write(tmp_path, files)
    assert drift(tmp_path, files) == []
    (tmp_path / "schemas/json/step.ready.v1.json").unlink()
    (tmp_path / "schemas/json/step.gone.v1.json").write_text("{}", "utf-8")
    (tmp_path / "infra/asyncapi.json").write_text("{}", "utf-8")
    capsys.readouterr()
    assert main(["--check"], root=tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == [
        "drifted: infra/asyncapi.json",
        "drifted: schemas/json/step.gone.v1.json",
        "drifted: schemas/json/step.ready.v1.json",
        f"run: {COMMAND}",
    ]
    assert main([], root=tmp_path) == 0
    assert drift(tmp_path, files) == []


def test_generating_twice_gives_the_same_bytes(files: dict[Path, str]) -> None:
    """Nothing is hidden: a difference in a document is a difference in the contract."""
    assert generated() == files


def test_every_message_and_request_is_in_the_registry() -> None:
    """Nothing is hidden: no type travels whose schema is not published."""
    for module in pkgutil.iter_modules(hybridmesh.schemas.__path__):
        importlib.import_module(f"hybridmesh.schemas.{module.name}")
    waiting: list[type[Message]] = [Message]
    named: set[type[Message]] = set()
    while waiting:
        kinds = [kind for kind in waiting.pop().__subclasses__() if kind.__module__.startswith("hybridmesh.")]
        waiting += kinds
        named |= {kind for kind in kinds if "NAME" in vars(kind)}
    assert set(MESSAGES) == named
    assert set(message_types().values()) == named
    assert {f"{ROOT}.{name}" for name in EXCHANGES} == set(Ask)


def test_wire_names_are_unique() -> None:
    """Nothing is lost: two types never share a wire name and version."""
    assert len({kind.event_type() for kind in MESSAGES}) == len(MESSAGES)
    assert len(NAMES) == len(MESSAGES) + 2 * len(EXCHANGES)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_has_its_own_name(name: str) -> None:
    """Nothing is hidden: any tool that knows Draft 2020-12 can read the contract."""
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema_id(name)
    assert schema["$id"].startswith("urn:hybridmesh:")


def test_the_golden_corpus_has_a_body_of_each_type() -> None:
    """Nothing is lost: a type without a kept body could break its readers unseen."""
    kept = {path.name.removesuffix(".json") for path in GOLDEN.glob("*.json")}
    assert set(NAMES) <= kept, f"add tests/golden/NAME.json for {sorted(set(NAMES) - kept)}"


@pytest.mark.parametrize("size", ["least", "full"])
@pytest.mark.parametrize("name", NAMES)
def test_kept_bodies_stay_readable(name: str, size: str) -> None:
    """Nothing is lost: within a major, a body that was valid once is valid for ever, and no field is dropped.

    A new required field, an optional one made required, a removed or renamed one, or a narrower type fails here:
    that needs a new major. Golden files are never edited.
    """
    body = golden(name)[size]
    model = contract()[name].model_validate_json(json.dumps(body))
    assert strangers(model) == []
    assert [error.message for error in Draft202012Validator(schema_of(name)).iter_errors(body)] == []
    assert keeps(json.loads(model.model_dump_json()), body)


@pytest.mark.parametrize(
    "later", ["{}", '{"a": 2}', '{"a": 1, "b": []}', '{"a": 1, "b": [{}]}', '{"a": 1, "b": [{"c": 0}, 1]}']
)
def test_the_comparison_of_bodies_can_fail(later: str) -> None:
    """Nothing is lost: a changed, a missing and a surplus value are seen, a later field beside them is not."""
    earlier = {"a": 1, "b": [{"c": None}]}
    assert not keeps(json.loads(later), earlier)
    assert keeps({"a": 1, "b": [{"c": None, "later": 1}], "later": 2}, earlier)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_fields_are_kept_and_passed_on(name: str) -> None:
    """Nothing is lost: what a newer program adds goes through an older one, at every depth."""
    kind = contract()[name]
    model = kind.model_validate(golden(name)["full"])
    newer = with_unknown(model, model.model_dump(mode="json"))
    assert [error.message for error in Draft202012Validator(schema_of(name)).iter_errors(newer)] == []
    assert json.loads(kind.model_validate_json(json.dumps(newer)).model_dump_json()) == newer


@pytest.mark.parametrize("name", NAMES)
def test_each_required_field_is_required_by_model_and_schema(name: str) -> None:
    """Nothing is hidden: the published schema refuses what the program refuses."""
    least = golden(name)["least"]
    for field in schema_of(name).get("required", []):
        short = {key: value for key, value in least.items() if key != field}
        assert not Draft202012Validator(schema_of(name)).is_valid(short)
        with pytest.raises(ValidationError):
            contract()[name].model_validate(short)


@pytest.mark.parametrize("name", NAMES)
def test_models_are_frozen_and_hide_their_input(name: str) -> None:
    """Nothing private leaves: an error about a body never repeats the body."""
    kind = contract()[name]
    model = kind.model_validate(golden(name)["full"])
    first = next(iter(kind.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model, first, getattr(model, first))
    with pytest.raises(ValidationError) as caught:
        kind.model_validate_json('["canary-7Q2M"]')
    assert "canary" not in str(caught.value)
