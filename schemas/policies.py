"""The organisation's policy as records: what its people add to or take from what the mesh does by itself."""

from pydantic import Field

from hybridmesh.schemas.message import Frozen


class TermShard(Frozen):
    """A part of the organisation's own terms (code names, customers, products in the making), sorted; private text."""

    terms: tuple[str, ...] = Field(default=(), max_length=20_000)


class ModelChoice(Frozen):
    """The local models that people have named in place of those of the settings; None where they have not."""

    check: str | None = None
    draft: str | None = None
