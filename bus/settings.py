"""The settings tree: frozen, built once at the edge, handed down in parts.

Sources, strongest first: flags (constructor arguments), ``HYBRIDMESH_*`` variables (``__`` between levels),
``mesh.toml``, the defaults here. An unknown key is an error that names the nearest known one.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from hybridmesh.schemas.inference import Purpose
from hybridmesh.schemas.privacy import Sensitivity


def _read_label(given: object) -> object:
    if not isinstance(given, str) or given.isdecimal():
        return given
    if (name := given.upper()) not in Sensitivity.__members__:
        raise ValueError(f"no label; it is one of {', '.join(Sensitivity.__members__).lower()}")
    return Sensitivity[name]


def _read_list(given: object) -> object:
    """Take the text of a variable or a flag for a list: JSON where it begins as such, else with commas between."""
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith("["):
        return json.loads(given)
    return [part.strip() for part in given.split(",") if part.strip()]


Label = Annotated[Sensitivity, BeforeValidator(_read_label)]
"""A label, by its name or its number."""


class Section(BaseModel):
    """A part of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RetentionSettings(Section):
    """How many days logs keep an entry, 0 for ever: the audit log with its checkpoints, results, what left, the dead.

    What the audit log has passed can still be seen to have been there (its hashes stay in the tree), and not read.
    """

    audit_days: float = Field(default=400, ge=0)
    results_days: float = Field(default=30, ge=0)
    egress_days: float = Field(default=30, ge=0)
    dead_letters_days: float = Field(default=30, ge=0)


class BusSettings(Section):
    """The work loop and the server. ``ack_wait_s`` bounds how long a dead agent's message waits for another.

    ``max_tries`` is at least four: the consultant spends that many on a cloud that does not answer. ``tls_ca`` is who
    signs the server's certificate, ``tls_cert`` and ``tls_key`` are this process's own; ``clear_text`` allows a bus on
    another machine without any of them. ``message_days`` is how far the time that a message was signed with may be from
    when it came, not how long it may wait; 15 at most, as the records that know a repeat live twice that.
    """

    max_tries: int = Field(default=6, ge=4)
    ack_wait_s: float = Field(default=30.0, ge=1)
    retry_base_s: float = Field(default=0.5, gt=0)
    retry_cap_s: float = Field(default=60.0, gt=0)
    drain_s: float = Field(default=20.0, gt=0)
    message_days: float = Field(default=7, ge=1 / 24, le=15)
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    max_input_bytes: int = Field(default=2 * 1024 * 1024, ge=1024)
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    clear_text: bool = False
    retention: RetentionSettings = RetentionSettings()
    server_binary: Path | None = None
    port: int = Field(default=0, ge=0, le=65_535)

    @property
    def signed_within(self) -> timedelta:
        """How far a signature may be from when it came: twice that, results are still there to say what is over."""
        kept = self.retention.results_days
        days = min(self.message_days, kept / 2) if kept else self.message_days
        return max(timedelta(days=days), timedelta(hours=1))


class ModelSettings(Section):
    """The local models. ``sources`` is a folder to take model files from before any network; ``figures`` is a file of
    what you measured of them yourself, as `make bench-quality` writes it.

    ``local`` answers all, but for drafts where ``drafts`` names another model. ``memory_mb`` bounds what they take
    together (weights, tokens under way, kept prefixes); None: what is free on the machine. ``rows`` answers of a model
    are written side by side, ``queue`` more may wait; ``prefix_mb`` bounds what is kept of prompts that were read, so
    that a like one is answered sooner.
    """

    local: str = "qwen2.5-coder-0.5b"
    drafts: str | None = None
    detector: str = "pii-multilingual"
    embedder: str = "minilm-l6-int8"
    sources: Path | None = None
    figures: Path | None = None
    threads: int = Field(default=2, ge=1)
    max_prompt_tokens: int = Field(default=1536, ge=128)
    queue: int = Field(default=64, ge=1)
    rows: int = Field(default=4, ge=1, le=64)
    prefix_mb: int = Field(default=96, ge=0)
    memory_mb: int | None = Field(default=None, ge=1)
    request_timeout_s: float = Field(default=120.0, gt=0)

    @property
    def names(self) -> Mapping[Purpose, str]:
        """The model that answers each purpose."""
        return {"check": self.local, "draft": self.drafts or self.local}


class CloudSettings(Section):
    """The cloud consultant. ``auto`` is Anthropic where there is a key and the simulated cloud otherwise."""

    provider: Literal["auto", "anthropic", "simulated", "none"] = "auto"
    model: str = "claude-sonnet-5-5"
    api_key: SecretStr | None = None
    base_url: str | None = None
    timeout_s: float = Field(default=90.0, gt=0)
    max_tokens: int = Field(default=1024, ge=1)
    inference_geo: str | None = None
    clearance_s: float = Field(default=300.0, gt=0)


class PrivacySettings(Section):
    """Detection. ``timeout_s`` bounds one text; a text that takes longer stays at home.

    ``threshold`` is the least probability of a private token, ``thresholds`` the exceptions by type: in place of those
    that come with the model, which were chosen on labelled texts. ``terms`` are
    the organisation's own from the start, in addition to those that ``hybridmesh terms`` keeps on the bus.
    """

    threshold: float | None = Field(default=None, ge=0, le=1)
    thresholds: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    terms: Annotated[tuple[str, ...], BeforeValidator(_read_list)] = ()
    timeout_s: float = Field(default=60.0, gt=0)
    max_chars: int = Field(default=400_000, ge=1000)
    vault_ttl_s: float = Field(default=30 * 86_400.0, gt=0)


class MemorySettings(Section):
    """The private memory: embedded in the data folder, or a Qdrant server by URL."""

    url: str | None = None
    api_key: SecretStr | None = None
    collection: str = "hybridmesh"
    tenant: str = "default"


class ProfileSettings(Section):
    """The user's words for policy: the thresholds of the four checks, the budget, and what a person must approve.

    ``cloud`` never, allowed or preferred: also where a model's price is unknown, which counts as ``max_call_usd`` then.
    ``max_label``: the highest label whose pseudonymised text may leave; ``complexity``: from which score (0 to 1) on a
    step deserves the cloud; prices in USD. ``on_doubt``: what becomes of a step that nobody could read for private
    values, or whose prompt a guard kept back: it goes on at home, or stops.
    """

    cloud: Literal["never", "allowed", "preferred"] = "allowed"
    on_doubt: Literal["local", "stop"] = "local"
    max_label: Label = Sensitivity.PERSONAL
    complexity: float = Field(default=0.35, ge=0, le=1)
    budget_usd: Decimal = Field(default=Decimal("0.25"), ge=0)
    max_call_usd: Decimal = Field(default=Decimal("0.05"), ge=0)
    approve_from_usd: Decimal | None = None
    approve_from_label: Label | None = None
    approval_wait_s: float = Field(default=300.0, gt=0)
    review_wait_s: float = Field(default=300.0, gt=0)


def default_profiles() -> dict[str, ProfileSettings]:
    """Return the three profiles that ship."""
    return {
        "secure-research": ProfileSettings(
            cloud="never", on_doubt="stop", max_label=Sensitivity.PUBLIC, budget_usd=Decimal(0)
        ),
        "balanced": ProfileSettings(),
        "creative-strategy": ProfileSettings(
            cloud="preferred", complexity=0.1, budget_usd=Decimal("1.00"), max_call_usd=Decimal("0.25")
        ),
    }


class MetricsSettings(Section):
    """Prometheus: each agent answers at ``port`` plus its place in the table, the decomposer first; None: nowhere.

    A further replica on the same machine takes the next block of as many ports as there are agents.
    """

    port: int | None = Field(default=None, ge=1, le=65_000)
    host: str = "127.0.0.1"


class PlanSettings(Section):
    """Limits of a plan, and where the user's own workflows are.

    ``stall_s`` is how long a task may be without a message in any queue before it is taken up again. ``under_way`` is
    how many tasks each replica of the decomposer has under way at once, those aside that wait for a person: all others
    wait where tenants and profiles take turns.
    """

    max_steps: int = Field(default=12, ge=1)
    max_depth: int = Field(default=6, ge=1)
    workflows: Path | None = None
    task_timeout_s: float = Field(default=1800.0, gt=0)
    stall_s: float = Field(default=600.0, gt=0)
    under_way: int = Field(default=64, ge=1)


class MeshSettings(Section):
    """The whole tree, as the agents see it; ``infra.settings`` fills it from its sources."""

    data: Path = Path(".hybridmesh")
    cache: Path = Field(default_factory=lambda: Path.home() / ".cache" / "hybridmesh" / "models")
    nats_url: str | None = None
    bus: BusSettings = BusSettings()
    models: ModelSettings = ModelSettings()
    cloud: CloudSettings = CloudSettings()
    privacy: PrivacySettings = PrivacySettings()
    memory: MemorySettings = MemorySettings()
    plans: PlanSettings = PlanSettings()
    metrics: MetricsSettings = MetricsSettings()
    profiles: dict[str, ProfileSettings] = Field(default_factory=default_profiles)
