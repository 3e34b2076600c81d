"""Every message ten times over, past the stream's own memory for repeats, and clocks that do not agree."""

import contextlib
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from chaos.faults import Row, aftermath, submit
from chaos.frame_proxy import Frame, renamed_copies
from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import ScriptedCloud
from hybridmesh.bus.client import Mesh

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="session"),
]

TASKS = 6
COPIES = 9
_SHIFTED = ("mesh.step.", "mesh.consult.")
# Shifts what a process is told of the time of day; the clock that only runs forward stays as it is.
_SKEW = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long skew(void) { const char *by = getenv("SKEW_S"); return by ? atol(by) : 0; }
int clock_gettime(clockid_t clock, struct timespec *at) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, at);
    if (!failed && clock == CLOCK_REALTIME) at->tv_sec += skew();
    return failed;
}
int gettimeofday(struct timeval *at, void *zone) {
    int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
    int failed = real(at, zone);
    if (!failed) at->tv_sec += skew();
    return failed;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


@contextlib.contextmanager
def copying(mesh: HostedMesh, sent: Counter[str]) -> Generator[None]:
    """Have each step's message go out under ten ids, so that its stream takes and delivers it ten times."""

    def copies(frame: Frame) -> list[bytes]:
        if not frame.subject.startswith(_SHIFTED):
            return []
        made = renamed_copies(frame, COPIES)
        sent[frame.subject.rpartition(".")[0]] += len(made)
        return made

    for proxy in mesh.proxies.values():
        proxy.copies = copies
    try:
        yield
    finally:
        for proxy in mesh.proxies.values():
            proxy.copies = None


@pytest.mark.short
async def test_every_message_is_delivered_ten_times(
    mesh: HostedMesh, client: Mesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost, nothing done twice: handlers meet repeats that no stream has dropped."""
    sent: Counter[str] = Counter()
    with copying(mesh, sent):
        began = time.monotonic()
        ids = await submit(client, TASKS)
        after = await aftermath(mesh, client, ids, cloud, patience_s=150)
    report(after.row("each message ten times", began, note=f"{sent.total()} copies, {cloud.asked} calls"))
    after.check()
    assert after.outcomes == {"completed": TASKS}
    assert min(sent.values()) >= TASKS * COPIES


@pytest.fixture(scope="module")
def skew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that shifts the clock of the process that loads it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to build the shifted clock with; the simulator has clocks of its own")
    folder = tmp_path_factory.mktemp("skew")
    source, library = folder / "skew.c", folder / "skew.so"
    source.write_text(_SKEW, "utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("shift_s", [-900, 900])
@pytest.mark.parametrize("agent", ["classifier", "consultant", "decomposer", "router", "worker"])
async def test_an_agent_whose_clock_is_wrong(
    agent: str,
    shift_s: int,
    skew: Path,
    mesh: HostedMesh,
    client: Mesh,
    cloud: ScriptedCloud,
    report: Callable[[Row], None],
) -> None:
    """Nothing is lost: a quarter of an hour, either way, sends a step home at worst."""
    shifted = await mesh.add(agent, 2, LD_PRELOAD=str(skew), SKEW_S=str(shift_s))
    try:
        await mesh.ready(client, shifted.name)
        assert await mesh.replicas.pop(agent).retire() == 0
        began = time.monotonic()
        ids = await submit(client, TASKS)
        after = await aftermath(mesh, client, ids, cloud)
    finally:
        if agent not in mesh.replicas:
            await mesh.add(agent)
        await mesh.ready(client, agent)
        code = await mesh.replicas.pop(shifted.name).retire()
    report(after.row(f"{agent}: clock {shift_s:+} s", began, note=f"{cloud.asked} calls"))
    after.check()
    assert after.outcomes == {"completed": TASKS}
    assert code == 0
