"""``detect``: what is private in a text, without a server and without sending anything anywhere."""

import json
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import put, tell
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.inputs import CONVERT
from hybridmesh.infra.cli.invocation import Invocation, local_command
from hybridmesh.infra.cli.stdin_texts import Fault, Form, Text, read_texts

if TYPE_CHECKING:
    from hybridmesh.agents.classifier.detector import Detector


@dataclass(slots=True)
class _Outcome:
    """What is told at the end: of the ``read`` texts, how many are in no language that is known, and what was none."""

    read: int = 0
    unknown: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])


@local_command
def detect(
    call: Invocation,
    lines: Annotated[bool, typer.Option("--lines", help="Each line is a text of its own, named by its number.")] = (
        False
    ),
    text: Annotated[bool, typer.Option("--text", help="All of it is one text, even where it is JSON.")] = False,
) -> None:
    """Find what is private in standard input; nothing leaves this process.

    Reads one text, or JSON lines {"id","text"}; answers each with one JSON line {"id","spans"} as soon as it is read.
    A span has start and end (in Unicode code points of the given text, end exclusive), type, score and source. A text
    that could not be read to its end is private as a whole: one span of type UNREAD. The terms are those of mesh.toml;
    the list on the bus is the agents'. Lines that are no documents are named on stderr, and the exit code is then 65.
    Texts in languages that nobody here knows, in which names are missed, are counted on stderr at the end.
    """
    import asyncio

    if lines and text:
        raise UsageError("--lines and --text exclude each other", remedy="give one of them, or neither")
    form = Form.LINES if lines else Form.TEXT if text else Form.AUTO
    if sys.stdin.isatty():
        tell("reading from the terminal; end the text with Ctrl-D")
    # asyncio's own handler would wait for the thread that waits for input.
    signal.signal(signal.SIGINT, _interrupt)
    try:
        outcome = asyncio.run(_answer(call, form))
    except typer.Exit:  # who talks to it line by line may leave at any time
        raise typer.Exit(ExitCode.OK) from None
    if outcome.unknown:
        _tell_unknown(outcome)
    if faults := outcome.faults:
        if faults[0].whole:
            tell(f"error: the text could not be read: line {faults[0].line} is {faults[0].problem}")
            tell(f"remedy: {CONVERT}")
        else:
            tell(f"error: {len(faults)} of the lines could not be read; every other line is answered")
            tell('remedy: write each line as {"id": "…", "text": "…"}, or give --text where all of it is one text')
        raise typer.Exit(ExitCode.DATA)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


async def _answer(call: Invocation, form: Form) -> _Outcome:
    import asyncio

    from hybridmesh.infra.detection import make_detector

    detector = await asyncio.to_thread(make_detector, call.settings)
    try:
        return await _answer_all(detector, read_texts(sys.stdin.buffer, form))
    finally:
        detector.close()


async def _answer_all(detector: "Detector", texts: "Iterable[Text | Fault]") -> _Outcome:
    from hybridmesh.agents.classifier.known_languages import is_in_unknown_language
    from hybridmesh.infra.detection import read_whole

    outcome = _Outcome()
    for item in texts:
        if isinstance(item, Fault):
            outcome.faults.append(item)
            if not item.whole:
                tell(f"line {item.line}: {item.problem}")
            continue
        spans = await read_whole(detector, item.text)
        found = [span.model_dump(exclude={"bare"}) for span in spans]
        put(json.dumps({"id": item.id, "spans": found}) + "\n")
        outcome.read += 1
        outcome.unknown += is_in_unknown_language(item.text, spans)
    return outcome


def _tell_unknown(outcome: _Outcome) -> None:
    verb = "is" if outcome.unknown == 1 else "are"
    subject = "the text" if outcome.read == 1 else f"{outcome.unknown} of {outcome.read} texts"
    tell(f"note: {subject} {verb} in no language that is known here: names may be missed (the agents call it a doubt)")
