"""Which prepared models a mesh needs, and making those that are missing."""

from pathlib import Path

from hybridmesh.agents.classifier.shipped import SHIPPED, shipped_model
from hybridmesh.agents.worker.onnx_runtime import cuda_works
from hybridmesh.bus.errors import SetupError, UsageError
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.fleet import Tell
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.models.progress import ProgressLines, silent
from hybridmesh.infra.models.store import ModelStore


def needed_models(settings: MeshSettings) -> tuple[str, ...]:
    """Return the names of the models that the agents load from the store; the shipped detector is not among them."""
    named = (settings.models.detector, settings.models.embedder, *settings.models.names.values())
    return tuple(dict.fromkeys(name for name in named if name != SHIPPED))


def open_store(settings: MeshSettings) -> ModelStore:
    """Return the model store that the settings name."""
    return ModelStore(settings.cache, settings.models.sources, half=cuda_works())


def ensure_models(settings: MeshSettings, tell: Tell) -> None:
    """Prepare what is missing; raises SetupError with its remedy."""
    store = open_store(settings)
    for name in needed_models(settings):
        if store.path(name) is None:
            store.prepare(name, ProgressLines(name, tell))


def model_folder(settings: MeshSettings, name: str) -> Path:
    """Return the folder of the shipped model, or of a prepared one, making it first where it is missing.

    Raises what ``ModelStore.prepare`` does; also where the cache cannot be written it is a SetupError, so that an
    agent that goes on with another model can do so.
    """
    if name == SHIPPED:
        return shipped_model()
    store = open_store(settings)
    try:
        return store.path(name) or store.prepare(name, silent).folder
    except OSError as error:
        raise SetupError(
            f"{name} cannot be prepared in {settings.cache}: {error.strerror or type(error).__name__}",
            remedy=f"prepare it with `hybridmesh model prepare {name}`, or name another cache",
        ) from error


def check_causal(settings: MeshSettings, name: str) -> None:
    """Raise UsageError unless the worker can use a model of this name."""
    known = {model.name: model.kind for model in open_store(settings).list()}
    known |= {entry.name: entry.kind for entry in CATALOG.values()}
    if known.get(name) != "causal":
        usable = ", ".join(sorted(other for other, kind in known.items() if kind == "causal"))
        raise UsageError(f"{name} is no model that a worker can use", remedy=f"choose one of: {usable}")
