"""The key-value part of a GGUF file, with typed access: a missing or odd value is a named error, not a crash."""

from collections.abc import Mapping
from typing import TypeVar, cast

from hybridmesh.bus.errors import SetupError

Scalar = str | int | float | bool
Value = Scalar | list[Scalar]
T = TypeVar("T", bound=Scalar)


def unusable(why: str) -> SetupError:
    """Return the error for a GGUF file that is damaged or uses what this builder does not translate."""
    return SetupError(
        f"the GGUF file cannot be used: {why}",
        remedy="fetch the file again, or choose one of the models in the catalog",
    )


class Metadata:
    """Read-only metadata of one file."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string; raises SetupError when it is missing without a default or is no string."""
        value = self._values.get(key, default)
        if not isinstance(value, str):
            raise unusable(f"{key} is not a text")
        return value

    def integer(self, key: str, default: int | None = None, *, low: int = 0, high: int = 1 << 24) -> int:
        """Return a whole number within ``low..high``; raises SetupError otherwise."""
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise unusable(f"{key} is not a whole number between {low} and {high}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """Return a finite positive number; raises SetupError otherwise."""
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise unusable(f"{key} is not a positive number")
        return float(value)

    def flag(self, key: str) -> bool:
        """Return a truth value; missing is false."""
        return self._values.get(key) is True

    def texts(self, key: str) -> list[str]:
        """Return a list of strings; raises SetupError when it is anything else."""
        return self._items(key, str, "texts")

    def integers(self, key: str) -> list[int]:
        """Return a list of whole numbers; raises SetupError when it is anything else."""
        return self._items(key, int, "numbers")

    def _items(self, key: str, kind: type[T], words: str) -> list[T]:
        value = self._values.get(key)
        if not isinstance(value, list):
            raise unusable(f"{key} is not a list")
        if not all(issubclass(found, kind) for found in set(map(type, value))):
            raise unusable(f"{key} is not a list of {words}")
        return cast("list[T]", value)
