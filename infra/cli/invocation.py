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

_SHARED: dict[str, object] = {
    "data": Data,
    "config": Config,
    "sets": Sets,
    "nats": Nats,
    "keys": Keys,
    "as_json": Json,
}


@dataclass(frozen=True, slots=True)
class Invocation:
    """The shared options; ``flags`` give a child process the same settings."""

    settings: "MeshSettings"
    flags: tuple[str, ...]
    url: str | None
    keys: Path | None
    json: bool


def command(function: Callable[Concatenate[Invocation, P], None]) -> Callable[..., None]:
    """Give a command the shared options behind its own: Typer sees them all, the function gets an Invocation."""
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
        for name, annotation in _SHARED.items()
    ]

    def called(**arguments: Any) -> None:  # noqa: ANN401 - Typer parses them by the annotations set below
        data, config, sets, nats, keys, as_json = (arguments.pop(name) for name in _SHARED)
        invocation = Invocation(
            settings=read_settings(data, config, sets),
            flags=tuple(inherited(config, sets)),
            url=nats,
            keys=keys,
            json=as_json,
        )
        cast("Callable[..., None]", function)(invocation, **arguments)

    called.__name__ = function.__name__
    called.__doc__ = _LINE_END.sub(" ", inspect.cleandoc(function.__doc__ or ""))
    called.__annotations__ = {item.name: item.annotation for item in (*own, *shared)}
    called.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined] # read by inspect
    return called
