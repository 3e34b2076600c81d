"""Looks at this machine for the doctor: starts nothing that stays, changes nothing."""

import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from hybridmesh.bus import endpoint as endpoints
from hybridmesh.bus.errors import MeshError, MeshUnavailable, SetupError, UsageError
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.doctor import Endpoint, Facts, Runtime, Trouble

_REINSTALL = "install hybridmesh again into a fresh environment"
_OTHER_CACHE = "name another folder with --set cache=FOLDER"
_CONNECT_S = 2.0


def look(settings: MeshSettings) -> Facts:
    """Return what is here; takes a second or two, most of it for ONNX Runtime."""
    from hybridmesh.infra.simulation import CloudChoice

    cloud, simulated = _cloud(settings), False
    if isinstance(cloud, CloudChoice):
        cloud, simulated = cloud.describe(settings), cloud is CloudChoice.SIMULATED
    folder = settings.data.resolve()
    return Facts(
        python=sys.version_info[:3],
        server=_server(settings),
        models=_models(settings),
        figures=_figures(settings),
        cloud=cloud,
        simulated=simulated,
        runtime=_runtime(),
        gpu=_gpu(),
        free_bytes=_room(folder),
        folder=str(folder),
        keys=_is_file(folder / "keys" / "publisher.key"),
        endpoint=_endpoint(folder),
    )


def _server(settings: MeshSettings) -> str | Trouble:
    from hybridmesh.infra.nats.binary import find_binary, read_version

    try:
        path = find_binary(settings.bus.server_binary)
        return f"{'.'.join(map(str, read_version(path)))} at {path}"
    except SetupError as error:
        return _trouble(error)


def _models(settings: MeshSettings) -> dict[str, str | None] | Trouble:
    from hybridmesh.infra.model_setup import needed_models, open_store

    store = open_store(settings)
    try:
        found = {name: store.path(name) for name in needed_models(settings)}
        lacking = [name for name, path in found.items() if path is None]
        if lacking:
            _check_cache(settings.cache, lacking)
    except MeshError as error:
        return _trouble(error)
    except OSError as error:
        return Trouble(f"{settings.cache}: {error.strerror or type(error).__name__}", _OTHER_CACHE)
    return {name: str(path) if path else None for name, path in found.items()}


def _figures(settings: MeshSettings) -> str | Trouble | None:
    """Return which models the operator measured, and in how many of the questions each is relied on."""
    from hybridmesh.infra.own_figures import read_figures
    from hybridmesh.schemas.measured import FIGURES, RELIANCES, relied_on

    if (file := settings.models.figures) is None:
        return None
    try:
        figures = read_figures(settings)
    except SetupError as error:
        return _trouble(error)
    told = [
        f"{name} is relied on in {sum(relied_on(name, each, figures=figures) for each in RELIANCES)}"
        f" of {sum(each.least is not None for each in RELIANCES)} questions"
        for name in figures
        if figures[name] is not FIGURES.get(name)
    ]
    return f"{file}: {', '.join(told) or 'as those that ship'}"


def _check_cache(cache: Path, lacking: Sequence[str]) -> None:
    """Raise SetupError where the models that are not yet prepared cannot be: the first start would end there."""
    from hybridmesh.infra.models.catalog import CATALOG
    from hybridmesh.infra.models.room import room_for

    place = next(place for place in (cache, *cache.absolute().parents) if place.exists())
    names = " and ".join(lacking)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise SetupError(f"{names} must be prepared, and {cache} cannot be written", remedy=_OTHER_CACHE)
    wanted = room_for([CATALOG[name] for name in lacking if name in CATALOG])
    free = shutil.disk_usage(place).free
    if free < wanted:
        raise SetupError(
            f"{names} must be prepared, for which {cache} needs {wanted // 1_000_000} MB: {free // 1_000_000} are free",
            remedy=f"free some space, or {_OTHER_CACHE}",
        )


def _cloud(settings: MeshSettings) -> "str | Trouble":
    from hybridmesh.infra.simulation import choose_cloud

    try:
        return choose_cloud(settings)
    except SetupError as error:
        return _trouble(error)


def _runtime() -> Runtime | Trouble:
    from hybridmesh.agents.worker.onnx_runtime import probe

    try:
        import onnxruntime  # type: ignore[import-untyped] # ships no types

        return Runtime(str(onnxruntime.__version__), *probe())
    except Exception as error:  # noqa: BLE001 - whatever a broken native library raises is the finding
        return Trouble(f"does not work: {type(error).__name__}", _REINSTALL)


def _gpu() -> bool:
    return any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg"))


def _room(folder: Path) -> int | Trouble:
    from hybridmesh.infra.disk import check_room

    try:
        return check_room(folder)
    except SetupError as error:
        return _trouble(error)


def _endpoint(folder: Path) -> Endpoint | None:
    try:
        found = endpoints.Endpoint.read(folder)
    except (MeshUnavailable, OSError):
        return None
    return Endpoint(found.url, found.pid, found.cloud, answers(found.url))


def answers(url: str) -> bool:
    """Say whether somebody listens at an address of a bus, at the first of several."""
    try:
        place = urlsplit(url.partition(",")[0])
        with socket.create_connection((place.hostname or "", place.port or 0), timeout=_CONNECT_S):
            return True
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # not ours to look at, which the finding on the data folder says
        return False


def _trouble(error: MeshError) -> Trouble:
    remedy = error.remedy if isinstance(error, SetupError | UsageError) else ""
    return Trouble(str(error), remedy)
