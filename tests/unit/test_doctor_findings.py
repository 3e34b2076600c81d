"""The doctor's judgement: what keeps a mesh from starting, what only is worth a word, and what to do."""

from dataclasses import replace

import pytest

from hybridmesh.agents.worker.onnx_runtime import probe
from hybridmesh.infra.doctor import Endpoint, Facts, Runtime, State, Trouble, can_start, examine

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
WELL = Facts(
    python=(3, 11, 9),
    server="2.15.1",
    models={"qwen": "here"},
    cloud="Anthropic",
    simulated=False,
    runtime=Runtime("1.31", (CPU,), (CPU,)),
    gpu=False,
    free_bytes=10**10,
    folder="mesh",
    keys=True,
    endpoint=Endpoint("nats://127.0.0.1:1", 7, "anthropic", answers=True),
)
TROUBLE = Trouble("gone", "get it")


def test_a_machine_that_has_all_is_well() -> None:
    """It runs on what you have."""
    assert {finding.state for finding in examine(WELL)} == {State.OK}
    assert can_start(examine(WELL))
    own = [finding for finding in examine(replace(WELL, figures="mine")) if finding not in examine(WELL)]
    assert [(finding.name, finding.state, finding.text) for finding in own] == [("figures", State.OK, "mine")]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (replace(WELL, python=(3, 10, 1)), "python"),
        (replace(WELL, server=TROUBLE), "nats-server"),
        (replace(WELL, models=TROUBLE), "models"),
        (replace(WELL, figures=TROUBLE), "figures"),
        (replace(WELL, cloud=TROUBLE), "cloud"),
        (replace(WELL, cloud=TROUBLE, simulated=True), "cloud"),
        (replace(WELL, runtime=TROUBLE), "onnxruntime"),
        (replace(WELL, free_bytes=TROUBLE), "data folder"),
    ],
)
def test_what_keeps_a_mesh_from_starting_is_missing_with_a_remedy(facts: Facts, name: str) -> None:
    """It runs on what you have, and says what it lacks."""
    missing = [finding for finding in examine(facts) if finding.state is State.MISSING]
    assert [finding.name for finding in missing] == [name]
    assert missing[0].remedy
    assert not can_start(examine(facts))


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (replace(WELL, models={"qwen": None}), "model qwen"),
        (replace(WELL, simulated=True), "cloud"),
        (replace(WELL, gpu=True), "gpu"),
        (replace(WELL, endpoint=Endpoint("nats://127.0.0.1:1", 7, "none", answers=False)), "mesh"),
    ],
)
def test_what_a_mesh_can_do_without_is_a_warning(facts: Facts, name: str) -> None:
    """It runs on what you have: no key, no GPU and no prepared model are no obstacle."""
    warned = [finding for finding in examine(facts) if finding.state is State.WARN]
    assert [finding.name for finding in warned] == [name]
    assert warned[0].remedy
    assert can_start(examine(facts))


def test_a_fresh_machine_can_start() -> None:
    """It runs on what you have."""
    assert can_start(examine(replace(WELL, keys=False, endpoint=None, simulated=True, models={"qwen": None})))


def test_cuda_counts_only_when_a_session_got_it() -> None:
    """It runs on what you have: listed is not the same as there."""
    facts = replace(WELL, gpu=True, runtime=Runtime("1", (CUDA, CPU), (CUDA, CPU)))
    assert all(finding.state is State.OK for finding in examine(facts))


def test_the_session_says_what_it_got_and_what_it_did_not_get() -> None:
    """Nothing is hidden: the provider that is shown is the one that a session has, not one that was asked for."""
    facts = replace(WELL, runtime=Runtime("1", (CUDA, CPU), (CPU,)))
    (found,) = [finding.text for finding in examine(facts) if finding.name == "onnxruntime"]
    assert found == f"1; a session got {CPU}; not {CUDA}, which is listed"


def test_a_real_session_is_opened() -> None:
    """Nothing is hidden: the providers come from a session, which always has the processor at the least."""
    asked, got = probe()
    assert got[-1] == CPU
    assert set(got) <= set(asked)
