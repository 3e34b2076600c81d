"""Fine-tunes the base: batches of like length, AdamW with warm-up and linear decay, bf16 on a CPU that has it.

Tokens are hidden now and then in place of dropout, which takes two thirds of the time of a forward pass on a CPU.
A training that was interrupted goes on where its last record was made, to the same weights.
"""

import json
import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from hybridmesh.agents.classifier.letter_case import cases
from hybridmesh.infra.pii_training.recipe import Training
from hybridmesh.infra.pii_training.synthesis import Labelled

logger = logging.getLogger(__name__)

_WINDOW = 126  # tokens of an example; what is longer is cut
_BATCH = 32
_POOL = 10  # batches that are sorted by length together
_PEAK = 2.0e-4
_WARM_UP = 150
_END = 0.02  # of the peak rate, at least
_DECAY = 0.01
_OUTSIDE_WEIGHT = 0.7  # of the loss on what is not private: a missed name costs more than a false one
_HIDDEN = 0.05  # of tokens: what stands around them has to tell
_IGNORED = -100
_SAVE_S = 300.0


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids, how their words are written, and a label for each; the two special tokens have none."""

    ids: list[int]
    types: list[int]
    labels: list[int]


def encode(text: Labelled, tokenizer: Any, labels: Sequence[str]) -> Example:
    """Return a text as the model reads it: the first token of a span begins it, the others continue it."""
    numbers = {label: number for number, label in enumerate(labels)}
    encoding = tokenizer.encode(text.text, add_special_tokens=False)
    marks = [numbers["O"]] * len(encoding.ids)
    for start, end, label in text.spans:
        inside = [place for place, (a, b) in enumerate(encoding.offsets) if a < end and b > start and b > a]
        for place in inside:
            marks[place] = numbers[f"{'B' if place == inside[0] else 'I'}-{label}"]
    first, last = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    types = cases(text.text, encoding.offsets).tolist()
    return Example(
        [first, *encoding.ids[:_WINDOW], last], [0, *types[:_WINDOW], 0], [_IGNORED, *marks[:_WINDOW], _IGNORED]
    )


def train(
    model: Any, examples: Sequence[Example], training: Training, *, threads: int, mask: int, record: Path
) -> None:
    """Train up to the step at which it stops; ``record`` holds how far it came, and is gone at the end.

    ``mask`` is the token that stands for a hidden one.
    """
    torch: Any = import_module("torch")
    torch.manual_seed(training.seed)
    torch.set_num_threads(threads)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_PEAK, weight_decay=_DECAY, fused=True)
    weights = torch.ones(model.config.num_labels)
    weights[0] = _OUTSIDE_WEIGHT
    loss_of = torch.nn.CrossEntropyLoss(weight=weights, ignore_index=_IGNORED)
    model.train()
    half = _reckons_in_half(torch)
    began = saved = time.monotonic()
    done = _resume(torch, model, optimiser, record)
    mean = 0.0
    batches = islice(_batches(list(examples), training.seed), done, training.stop)
    for step, batch in enumerate(batches, done + 1):
        for group in optimiser.param_groups:
            group["lr"] = rate(step, training.steps)
        ids, seen, types, marks = _tensors(torch, batch)
        ids = ids.where((torch.rand(ids.shape) >= _HIDDEN) | (marks == _IGNORED), mask)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = model(input_ids=ids, attention_mask=seen, token_type_ids=types).logits
        loss = loss_of(logits.float().flatten(0, 1), marks.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        mean = loss.item() if mean == 0.0 else 0.98 * mean + 0.02 * loss.item()
        now = time.monotonic()
        if step % 50 == 0:
            speed = (step - done) / (now - began)
            logger.info("%s: step %d of %d, loss %.4f, %.2f steps/s", training.name, step, training.stop, mean, speed)
        if now - saved > _SAVE_S:
            _record(torch, model, optimiser, record, step)
            saved = now
    record.unlink(missing_ok=True)


def rate(step: int, steps: int) -> float:
    """Return the rate of learning at a step of so many: up to its peak, then down in a line."""
    return _PEAK * min(step / _WARM_UP, max(_END, (steps - step) / max(1, steps - _WARM_UP)))


def _record(torch: Any, model: Any, optimiser: Any, record: Path, step: int) -> None:
    weights, dice = model.state_dict(), torch.get_rng_state()
    state = {"step": step, "model": weights, "optimiser": optimiser.state_dict(), "dice": dice}
    written = record.with_suffix(".new")
    torch.save(state, written)
    written.replace(record)


def _resume(torch: Any, model: Any, optimiser: Any, record: Path) -> int:
    """Take up the record, if there is one, and return the steps that were done."""
    if not record.is_file():
        return 0
    state = torch.load(record)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["dice"])
    return int(state["step"])


def _reckons_in_half(torch: Any) -> bool:
    """Say whether the CPU has instructions for bf16: without them it takes three times as long as whole floats."""
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def _batches(examples: list[Example], seed: int) -> Iterator[list[Example]]:
    dice = random.Random(seed)  # noqa: S311 - an order, not a secret
    while True:
        dice.shuffle(examples)
        for start in range(0, len(examples), _BATCH * _POOL):
            pool = sorted(examples[start : start + _BATCH * _POOL], key=lambda item: len(item.ids))
            batches = [pool[place : place + _BATCH] for place in range(0, len(pool), _BATCH)]
            dice.shuffle(batches)
            yield from batches


def _tensors(torch: Any, batch: Sequence[Example]) -> list[Any]:
    width = max(len(item.ids) for item in batch)
    rows = [(item.ids, [1] * len(item.ids), item.types, item.labels) for item in batch]
    return [
        torch.tensor([row[column] + [fill] * (width - len(row[column])) for row in rows])
        for column, fill in ((0, 0), (1, 0), (2, 0), (3, _IGNORED))
    ]


def save_labels(labels: Sequence[str], folder: Path) -> None:
    """Write the labels as the classifier reads them."""
    (folder / "labels.json").write_text(json.dumps(list(labels)), "utf-8")
