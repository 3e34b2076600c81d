"""The verifier's word on a draft, with the evidence for each claim."""

from typing import Literal

from hybridmesh.schemas.message import Frozen


class Claim(Frozen):
    """Something the draft states; ``evidence`` names where it was found (``input:NAME``, ``record:ID``, ...)."""

    kind: Literal["number", "date", "name", "amount", "reference"]
    text: str
    evidence: tuple[str, ...] = ()


class Verdict(Frozen):
    """Passed or not, the reasons in words a model can act on, and the claims.

    ``judgement`` is the local model's own yes or no, None when it was not asked; it can only reject, as
    deterministic evidence is needed to accept.
    """

    passed: bool
    reasons: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    judgement: bool | None = None
    by: Literal["verifier", "person"] = "verifier"
