"""What a machine has and what it lacks for a mesh, as findings with remedies. Pure; ``doctor_probes`` looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """``missing`` keeps a mesh from starting; ``warn`` does not."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line; ``remedy`` is empty where all is well."""

    name: str
    state: State
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a probe ran into: an error of ours, with its remedy."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Runtime:
    """ONNX Runtime here: the providers that a real session asked for, as the runtime lists them, and what it got."""

    version: str
    asked: tuple[str, ...]
    got: tuple[str, ...]

    @property
    def cuda(self) -> bool:
        """Whether a session got CUDA."""
        return "CUDAExecutionProvider" in self.got


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the data folder says of a mesh, and whether its server answers."""

    url: str
    pid: int
    cloud: str
    answers: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What the probes saw. ``models`` maps each needed model to its folder, or None where it is not prepared;
    ``figures`` is None where only those that ship are used.
    """

    python: tuple[int, int, int]
    server: str | Trouble
    models: Mapping[str, str | None] | Trouble
    cloud: str | Trouble
    simulated: bool
    runtime: Runtime | Trouble
    gpu: bool
    free_bytes: int | Trouble
    folder: str
    keys: bool
    endpoint: Endpoint | None
    figures: str | Trouble | None = None


_PYTHON = (3, 11)


def examine(facts: Facts) -> tuple[Finding, ...]:
    """Return a finding about each thing that a mesh needs, in the order in which it needs them."""
    return (
        _python(facts),
        _known("nats-server", facts.server),
        *_models(facts),
        *([] if facts.figures is None else [_known("figures", facts.figures)]),
        _runtime(facts),
        _gpu(facts),
        _cloud(facts),
        _room(facts),
        _keys(facts),
        _mesh(facts),
    )


def can_start(findings: tuple[Finding, ...]) -> bool:
    """Say whether nothing is missing."""
    return all(finding.state is not State.MISSING for finding in findings)


def _python(facts: Facts) -> Finding:
    text = ".".join(map(str, facts.python))
    if facts.python[:2] < _PYTHON:
        return Finding("python", State.MISSING, text, "install Python 3.11 or newer")
    return Finding("python", State.OK, text)


def _known(name: str, seen: str | Trouble) -> Finding:
    if isinstance(seen, Trouble):
        return Finding(name, State.MISSING, seen.text, seen.remedy)
    return Finding(name, State.OK, seen)


def _models(facts: Facts) -> list[Finding]:
    if isinstance(facts.models, Trouble):
        return [Finding("models", State.MISSING, facts.models.text, facts.models.remedy)]
    return [
        Finding(f"model {name}", State.OK, folder)
        if folder
        else Finding(
            f"model {name}",
            State.WARN,
            "not prepared; the first start does it",
            f"`hybridmesh model prepare {name}` does it now",
        )
        for name, folder in facts.models.items()
    ]


def _runtime(facts: Facts) -> Finding:
    seen = facts.runtime
    if isinstance(seen, Trouble):
        return Finding("onnxruntime", State.MISSING, seen.text, seen.remedy)
    text = f"{seen.version}; a session got {' and '.join(seen.got)}"
    if refused := [name for name in seen.asked if name not in seen.got]:
        text += f"; not {' and '.join(refused)}, which is listed"
    return Finding("onnxruntime", State.OK, text)


def _gpu(facts: Facts) -> Finding:
    if not facts.gpu:
        return Finding("gpu", State.OK, "none; the models run on the CPU")
    if isinstance(facts.runtime, Runtime) and facts.runtime.cuda:
        return Finding("gpu", State.OK, "there, and in use")
    return Finding(
        "gpu",
        State.WARN,
        "there, but no session gets it",
        "install the CUDA 13 libraries and cuDNN 9 for onnxruntime-gpu",
    )


def _cloud(facts: Facts) -> Finding:
    if not isinstance(facts.cloud, Trouble) and facts.simulated:
        text = "no key: the simulated cloud will be used"
        return Finding("cloud", State.WARN, text, "set ANTHROPIC_API_KEY to ask the real one")
    return _known("cloud", facts.cloud)


def _room(facts: Facts) -> Finding:
    seen = facts.free_bytes
    if isinstance(seen, Trouble):
        return Finding("data folder", State.MISSING, f"{facts.folder}: {seen.text}", seen.remedy)
    return Finding("data folder", State.OK, f"{facts.folder}: can be written, {seen / 1e9:.1f} GB are free")


def _keys(facts: Facts) -> Finding:
    return Finding("keys", State.OK, "there" if facts.keys else "none yet; the first start makes them")


def _mesh(facts: Facts) -> Finding:
    seen = facts.endpoint
    if seen is None:
        return Finding("mesh", State.OK, "not running; `hybridmesh up` starts it")
    if not seen.answers:
        text = f"{seen.url} does not answer: it ended without a word"
        return Finding("mesh", State.WARN, text, "`hybridmesh up` starts it again on the same data")
    return Finding("mesh", State.OK, f"runs at {seen.url}, process {seen.pid}, cloud {seen.cloud}")
