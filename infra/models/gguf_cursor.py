"""Reads GGUF's primitive values in order; every length is held against the bytes that are really there."""

import struct
from collections.abc import Callable
from mmap import mmap
from typing import Final, cast

from hybridmesh.infra.models.gguf_metadata import Scalar, Value, unusable

# Value type codes and their layouts, from the GGUF specification.
LAYOUTS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
TEXT, LIST, COUNT = 8, 9, 10


class Cursor:
    """A position in a mapped file that only moves forward and never past the end."""

    def __init__(self, data: bytes | mmap, at: int = 0) -> None:
        self._data = data
        self._size = len(data)
        self.at = at
        self._readers = {kind: self._scalar_reader(layout) for kind, layout in LAYOUTS.items()}
        self._readers[TEXT] = self.text

    def count(self, item_bytes: int, what: str) -> int:
        """Read a 64-bit count of items that take at least ``item_bytes`` each; refuses more than can follow."""
        number = cast("int", self._readers[COUNT]())
        if number * item_bytes > self._size - self.at:
            raise unusable(f"{what} count is larger than the file")
        return number

    def integer(self, kind: int = 4) -> int:
        """Read one whole number of a value type (4 is uint32, 10 is uint64)."""
        return cast("int", self._readers[kind]())

    def text(self) -> str:
        """Read a length-prefixed UTF-8 string."""
        size = self.count(1, "text byte")
        start, self.at = self.at, self.at + size
        try:
            return self._data[start : self.at].decode("utf-8")
        except UnicodeDecodeError:
            raise unusable("a text in the header is not UTF-8") from None

    def value(self) -> Value:
        """Read a typed value; lists of lists are refused (no model file needs them)."""
        kind = self.integer()
        if kind != LIST:
            return self._reader(kind)()
        item = self.integer()
        self._reader(item)  # refuses an unknown one
        if item == TEXT:
            return self._texts(self.count(8, "list item"))
        size = struct.calcsize(LAYOUTS[item])
        count = self.count(size, "list item")
        start, self.at = self.at, self.at + count * size
        return list(struct.unpack_from(f"<{count}{LAYOUTS[item][1:]}", self._data, start))

    def _texts(self, count: int) -> list[Scalar]:
        """Read texts as ``text`` does, at half the cost: a vocabulary has hundreds of thousands of them."""
        data, at, end, found = self._data, self.at, self._size, list[Scalar]()
        size_of = struct.Struct(LAYOUTS[COUNT]).unpack_from
        for _ in range(count):
            start = at + 8
            at = start + size_of(data, at)[0] if start <= end else end + 1
            if at > end:
                raise unusable("text byte count is larger than the file")
            try:
                found.append(data[start:at].decode("utf-8"))
            except UnicodeDecodeError:
                raise unusable("a text in the header is not UTF-8") from None
        self.at = at
        return found

    def _reader(self, kind: int) -> Callable[[], Scalar]:
        try:
            return self._readers[kind]
        except KeyError:
            raise unusable("unknown value type in the header") from None

    def _scalar_reader(self, layout: str) -> Callable[[], Scalar]:
        packed = struct.Struct(layout)

        def read() -> Scalar:
            if self.at + packed.size > self._size:
                raise unusable("the header is cut short")
            (value,) = cast("tuple[Scalar]", packed.unpack_from(self._data, self.at))
            self.at += packed.size
            return value

        return read
