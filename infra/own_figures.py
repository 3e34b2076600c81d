"""An operator's own figures of local models: a file as `make bench-quality` writes it, held against what runs here."""

from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.models.exported import builds_of
from hybridmesh.schemas.measured import FIGURES, LARGE_B, RELIANCES, SETTLING, Figure, Figures, billions

_MEASURE = "measure the model that runs here: make bench-quality QUALITY_MODELS=NAME"


class _Row(BaseModel):
    right: int = Field(ge=0)
    of: int = Field(ge=1)


class _Measured(BaseModel):
    revision: str
    rows: dict[str, _Row]


class _Results(BaseModel):
    models: dict[str, _Measured] = Field(min_length=1)


def read_figures(settings: MeshSettings) -> Figures:
    """Return what the agents go by: the figures that ship, those of ``models.figures`` in the place of a model's.

    Raises:
        SetupError: there is no such file, it is none of the benchmark's, or it is of a model or a build that is not
            here.

    """
    file = settings.models.figures
    return FIGURES if file is None else {**FIGURES, **_read(file, settings.cache)}


def _read(file: Path, cache: Path) -> dict[str, dict[str, Figure]]:
    try:
        models = _Results.model_validate_json(file.read_bytes()).models
    except OSError as error:
        problem = f"{file} cannot be read: {error.strerror or type(error).__name__}"
        raise SetupError(problem, remedy="name the file in models.figures, or leave it out") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise SetupError(f"{file}: {place}: {first['msg']}", remedy=_MEASURE) from None
    rows = {name: _rows(file, name, measured) for name, measured in models.items()}
    own = {name: found for name, found in rows.items() if found != FIGURES.get(name)}
    for name in own:
        _check_build(file, name, models[name].revision, cache)
    return {name: _bounded(name, found) for name, found in own.items()}


def _rows(file: Path, name: str, measured: _Measured) -> dict[str, Figure]:
    found = {each.row: measured.rows.get(f"{each.row} all") for each in RELIANCES}
    if any(row.right > row.of for row in measured.rows.values()):
        raise SetupError(f"{file}: {name}: more answers are right than were given", remedy=_MEASURE)
    if not any(found.values()):
        raise SetupError(f"{file}: {name}: there is no row that anything relies on", remedy=_MEASURE)
    return {row: Figure(share.right, share.of) for row, share in found.items() if share is not None}


def _check_build(file: Path, name: str, revision: str, cache: Path) -> None:
    builds = builds_of(cache, name)
    if not builds:
        raise SetupError(f"{file}: {name} is no local model here", remedy="`hybridmesh model list` shows them")
    if revision not in builds:
        raise SetupError(f"{file}: {name} was measured as another build than the one that runs here", remedy=_MEASURE)


def _bounded(name: str, rows: dict[str, Figure]) -> dict[str, Figure]:
    """Leave out what would let a small model's Yes release free text in which the rules leave a doubt."""
    return {row: share for row, share in rows.items() if row != SETTLING.row or billions(name) >= LARGE_B}
