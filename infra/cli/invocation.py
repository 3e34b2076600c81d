"""What a command is called with: the options that all share, gathered once, and the command's own."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast

from hybridmesh.infra.cli.given import inherited, read_settings
from hybridmesh.infra.cli.options import As, Config, Data, Json, Keys, Nats, Sets

if TYPE_CHECKING:
    from hybridmesh.bus.settings import MeshSettings

P = ParamSpec("P")

_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")  # inside a paragraph, where a terminal of another width breaks it elsewhere

_LOCAL: dict[str, object] = {"data": Data, "config": Config, "sets": Sets, "as_json": Json}
_KEYED: dict[str, object] = {**_LOCAL, "keys": Keys}
_BUS: dict[str, object] = {**_KEYED, "nats": Nats}
_SHARED: dict[str, object] = {**_BUS, "role": As}


@dataclass(frozen=True, slots=True)
class Invocation:
    """The shared options; ``flags`` give a child process the same settings; a local command has no url and no keys."""

    settings: "MeshSettings"
    flags: tuple[str, ...]
    url: str | None
    keys: Path | None
    role: str
    json: bool

    @property
    def keys_folder(self) -> Path:
        """Where the keys are."""
        return self.keys or self.settings.data / "keys"


def command(function: Callable[Concatenate[Invocation, P], None]) -> Callable[..., None]:
    """Give a command the shared options behind its own: Typer sees them all, the function gets an Invocation."""
    return _command(function, _SHARED)


def local_command(function: Callable[Concatenate[Invocation, P], None]) -> Callable[..., None]:
    """Do the same for a command that goes to no bus, and so takes none."""
    return _command(function, _LOCAL)


def bus_command(function: Callable[Concatenate[Invocation, P], None]) -> Callable[..., None]:
    """Do the same for a command that goes to a bus with the keys of the mesh, and not by those of a person."""
    return _command(function, _BUS)


def keys_command(function: Callable[Concatenate[Invocation, P], None]) -> Callable[..., None]:
    """Do the same for a command that goes to no bus, but to the keys of one."""
    return _command(function, _KEYED)


def _command(function: Callable[Concatenate[Invocation, P], None], given: dict[str, object]) -> Callable[..., None]:
    signature = inspect.signature(function)
    only = inspect.Parameter.KEYWORD_ONLY
    own = [parameter.replace(kind=only) for parameter in list(signature.parameters.values())[1:]]
    flags = {"as_json": False}
    shared = [inspect.Parameter(name, only, default=flags.get(name), annotation=it) for name, it in given.items()]

    def called(**arguments: Any) -> None:  # noqa: ANN401 - Typer parses them by the annotations set below
        data, config, sets, as_json, keys, nats, role = (arguments.pop(name, None) for name in _SHARED)
        settings, words = read_settings(data, config, sets), tuple(inherited(config, sets))
        invocation = Invocation(settings, words, nats, keys, "publisher" if role is None else role, json=as_json)
        cast("Callable[..., None]", function)(invocation, **arguments)

    called.__name__ = function.__name__
    called.__doc__ = _LINE_END.sub(" ", inspect.cleandoc(function.__doc__ or ""))
    called.__annotations__ = {item.name: item.annotation for item in (*own, *shared)}
    called.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined] # read by inspect
    return called
