"""A GGUF header is not believed: what does not fit the file is refused before it is mapped."""

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFWriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.gguf_file import GgufFile


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def header(tensors: int = 0, pairs: int = 0, body: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, pairs) + body + bytes(64)


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(name: str, dims: tuple[int, ...], kind: int, offset: int, count: int | None = None) -> bytes:
    shape = b"".join(struct.pack("<Q", size) for size in dims)
    return (
        text(name) + struct.pack("<I", len(dims) if count is None else count) + shape + struct.pack("<IQ", kind, offset)
    )


HOSTILE = {
    "empty": b"",
    "another magic": b"GGML" + bytes(60),
    "version from the future": header(version=9),
    "cut header": header(pairs=1, body=pair("a", 4, struct.pack("<I", 1)))[:30],
    "huge tensor count": header(tensors=2**60),
    "huge pair count": header(pairs=2**63),
    "huge text": header(pairs=1, body=struct.pack("<Q", 2**62)),
    "huge list": header(pairs=1, body=pair("a", 9, struct.pack("<IQ", 4, 2**61))),
    "list of lists": header(pairs=1, body=pair("a", 9, struct.pack("<IQ", 9, 1))),
    "list of texts, cut inside one": header(pairs=1, body=pair("a", 9, struct.pack("<IQ", 8, 2) + text("b")))[:-60],
    "list with a huge text": header(pairs=1, body=pair("a", 9, struct.pack("<IQQ", 8, 1, 2**63))),
    "list of texts that are not UTF-8": header(pairs=1, body=pair("a", 9, struct.pack("<IQQ", 8, 1, 2) + b"\xff\xfe")),
    "unknown value type": header(pairs=1, body=pair("a", 77, b"")),
    "text that is not UTF-8": header(pairs=1, body=struct.pack("<Q", 2) + b"\xff\xfe" + bytes(8)),
    "key twice": header(pairs=2, body=pair("a", 4, bytes(4)) * 2),
    "alignment of zero": header(pairs=1, body=pair("general.alignment", 4, bytes(4))),
    "alignment that is a text": header(pairs=1, body=pair("general.alignment", 8, text("32"))),
    "no dimensions": header(tensors=1, body=tensor("t", (), 0, 0)),
    "too many dimensions": header(tensors=1, body=tensor("t", (1,), 0, 0, count=2**31)),
    "size of zero": header(tensors=1, body=tensor("t", (0, 4), 0, 0)),
    "unknown kind": header(tensors=1, body=tensor("t", (4,), 4000, 0)),
    "part of a block": header(tensors=1, body=tensor("t", (31,), 8, 0)),
    "offset outside": header(tensors=1, body=tensor("t", (4,), 0, 2**40)),
    "end outside": header(tensors=1, body=tensor("t", (1024, 1024), 0, 0)),
    "sizes that overflow 64 bits": header(tensors=1, body=tensor("t", (2**32, 2**32, 2**32), 0, 0)),
    "tensor twice": header(tensors=2, body=tensor("t", (4,), 0, 0) + tensor("t", (4,), 0, 32)),
    "tensors that overlap": header(tensors=2, body=tensor("t", (8,), 0, 0) + tensor("u", (4,), 0, 16)),
    "one tensor inside another": header(tensors=2, body=tensor("t", (4,), 0, 4) + tensor("u", (16,), 0, 0)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_headers_are_refused(data: bytes, tmp_path: Path) -> None:
    """It runs on what you have: a damaged or hostile file is a clear set-up error, never a crash."""
    path = tmp_path / "hostile.gguf"
    path.write_bytes(data)
    with pytest.raises(SetupError, match="GGUF file cannot be used") as refused:
        GgufFile(path)
    assert refused.value.remedy


@pytest.fixture(scope="module")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "small.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b", "ü"])
    writer.add_tensor("matrix", np.arange(128, dtype=np.float32).reshape(2, 64))
    writer.add_tensor("packed", np.arange(2 * 34, dtype=np.uint8).reshape(2, 34), raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_an_honest_file_is_read(small_file: Path) -> None:
    """It runs on what you have: files of the reference writer are understood."""
    with GgufFile(small_file) as gguf:
        assert gguf.metadata.text("general.architecture") == "llama"
        assert gguf.metadata.integer("llama.block_count") == 2
        assert gguf.metadata.texts("tokenizer.ggml.tokens") == ["a", "b", "ü"]
        np.testing.assert_array_equal(gguf.tensor("matrix").floats(), np.arange(128).reshape(2, 64))
        assert gguf.tensor("packed").shape == (2, 32)
        gguf.release()
        with pytest.raises(SetupError, match="missing"):
            gguf.tensor("absent")
        with pytest.raises(SetupError, match="block_count"):
            gguf.metadata.text("llama.block_count")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_any_damage_is_refused_or_harmless(data: st.DataObject, small_file: Path, tmp_path: Path) -> None:
    """It runs on what you have: no cut and no flipped byte gets past the reader as anything but a set-up error."""
    content = bytearray(small_file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content)
    with contextlib.suppress(SetupError), GgufFile(path) as gguf:
        assert all(tensor.raw.size > 0 for tensor in gguf.tensors.values())
