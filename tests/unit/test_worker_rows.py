"""The key-value buffer, in main memory and in a device's: copies carry what they should and touch nothing else."""

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hybridmesh.agents.worker.onnx_device_rows import DeviceRows
from hybridmesh.agents.worker.onnx_host_rows import HostRows
from hybridmesh.agents.worker.onnx_rows import Rows, RowShape

ROWS, ROOM = 3, 40
SHAPES = [RowShape(4, 2, 8, np.dtype(kind)) for kind in (np.float32, np.float16)]
Memory = npt.NDArray[Any]


def memory_of(rows: Rows) -> Memory:
    """Return the whole buffer as the runtime sees it, filled with numbers of which no two rows share one."""
    shape = rows.shape
    sizes = (shape.parts, rows.rows, shape.heads, rows.room, shape.size)
    count = int(np.prod(sizes))
    raw = (ctypes.c_uint8 * (count * shape.kind.itemsize)).from_address(rows.address(0, 0))
    memory: Memory = np.ctypeslib.as_array(raw).view(shape.kind).reshape(sizes)
    memory[:] = np.random.default_rng(7).random(sizes)
    return memory


@pytest.fixture(params=[(place, shape) for place in ("host", "device") for shape in SHAPES], ids=str)
def rows(request: pytest.FixtureRequest) -> Rows:
    place, shape = request.param
    return HostRows(shape, ROWS, ROOM) if place == "host" else DeviceRows(shape, ROWS, ROOM, "cpu")


def test_a_move_copies_the_start_of_a_row(rows: Rows) -> None:
    """Nothing private leaves: a row that moves up takes its own tokens along, and no other row changes."""
    memory = memory_of(rows)
    before = memory.copy()
    rows.move(2, 0, 25)
    before[:, 0, :, :25] = before[:, 2, :, :25]
    assert (memory == before).all()


def test_a_copy_can_be_put_into_any_row(rows: Rows) -> None:
    """Nothing private leaves: of a kept prefix just the shared part comes back, whatever its row held since."""
    memory = memory_of(rows)
    saved = rows.save(1, 30)
    assert saved.nbytes == 30 * rows.shape.token_bytes
    expected = memory.copy()
    expected[:, 2, :, :12] = expected[:, 1, :, :12]
    memory[:, 1] = expected[:, 1] = 0
    rows.restore(saved, 12, 2)
    assert (memory == expected).all()


def test_rows_follow_one_another(rows: Rows) -> None:
    """It runs on what you have: neighbours are one tensor, which is what makes a batch of them without a copy."""
    row_bytes = rows.shape.heads * ROOM * rows.shape.size * rows.shape.kind.itemsize
    assert [rows.address(1, row) - rows.address(1, 0) for row in range(ROWS)] == [0, row_bytes, 2 * row_bytes]


def test_a_cleared_row_is_given_back_and_its_neighbours_stay() -> None:
    """Nothing private leaves: the pages of a row that is free are the system's again, and hold no token of anyone."""
    shape = RowShape(2, 2, 64, np.dtype(np.float32))
    rows = HostRows(shape, 3, 100)
    memory = memory_of(rows)
    before = memory.copy()
    rows.clear(1)
    assert (memory[:, [0, 2]] == before[:, [0, 2]]).all()
    assert (memory[:, 1] == 0).mean() > 0.8  # all but what shares a page with a neighbour
