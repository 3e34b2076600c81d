"""What a command is called with: the options that all share, gathered once, and the command's own."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast

from hybridmesh.infra.cli.options import Config, Data, Json, Keys, Nats, Sets, inherited, read_settings

if TYPE_CHECKING:
    from hybridmesh.bus.settings import MeshSettings

P = ParamSpec("P")

_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")  # inside a paragraph, where a terminal of another width breaks it elsewhere

_LOCAL: dict[str, object] = {"data": Data, "config": Config, "sets": Sets, "as_json": Json}
_KEYED: dict[str, object] = {**_LOCAL, "keys": Keys}
_SHARED: dict[str, object] = {**_KEYED, "nats": Nats}


@dataclass(frozen=True, slots=True)
class Invocation:
    """The shared options; ``flags`` give a child process the same settings; a local command has no url and no keys."""

    settings: "MeshSettings"
    flags: tuple[str, ...]
    url: str | None
    keys: Path | None
    json: bool


def command(function: Callable[Concatenate[Invocation, P], None]) -> Callable[..., None]:
    """Give a command the shared options behind its own: Typer sees them all, the function gets an Invocation."""
    return _command(function, _SHARED)


def local_command(function: Callable[Concatenate[Invocation, P], None]) -> Callable[..., None]:
    """Do the same for a command that goes to no bus, and so takes none."""
    return _command(function, _LOCAL)


def keys_command(function: Callable[Concatenate[Invocation, P], None]) -> Callable[..., None]:
    """Do the same for a command that goes to no bus, but to the keys of one."""
    return _command(function, _KEYED)


def _command(function: Callable[Concatenate[Invocation, P], None], given: dict[str, object]) -> Callable[..., None]:
    signature = inspect.signature(function)
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in list(signature.parameters.values())[1:]
    ]
    shared = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if name == "as_json" else None,
            annotation=annotation,
        )
        for name, annotation in given.items()
    ]

    def called(**arguments: Any) -> None:  # noqa: ANN401 - Typer parses them by the annotations set below
        data, config, sets, as_json, keys, nats = (arguments.pop(name, None) for name in _SHARED)
        settings, flags = read_settings(data, config, sets), tuple(inherited(config, sets))
        invocation = Invocation(settings=settings, flags=flags, url=nats, keys=keys, json=as_json)
        cast("Callable[..., None]", function)(invocation, **arguments)

    called.__name__ = function.__name__
    called.__doc__ = _LINE_END.sub(" ", inspect.cleandoc(function.__doc__ or ""))
    called.__annotations__ = {item.name: item.annotation for item in (*own, *shared)}
    called.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined] # read by inspect
    return called
