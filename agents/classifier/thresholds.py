"""How sure the token classifier has to be, by type."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least probability (1 - P(O)) of a private token: ``default``, or what ``types`` says of its span's type."""

    default: float
    types: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def least(self) -> float:
        """A quarter of the lowest of all: below it nothing is private, not even beside a name."""
        return min((self.default, *self.types.values())) / 4

    def of(self, kind: str) -> float:
        """Return the threshold of a type of span."""
        return self.types.get(kind, self.default)
