"""Frameworks as data: the keys they are known by, what makes one usable, and reading one from a reply."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import ValidationError

from hybridmesh.agents.worker import formulas, template
from hybridmesh.schemas.frameworks import Framework
from hybridmesh.schemas.surrogates import find_lookalikes

Origin = Literal["shipped", "remembered", "advised"]

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,79}(?:/[a-z0-9][a-z0-9-]{0,79}){0,5}")
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(?P<body>.*)\n\s*```\s*\Z", re.DOTALL)


def keys_for(key: str | None, language: str | None) -> tuple[str, ...]:
    """Return the keys to look under, best first: ``key/language``, then ``key``; none for what is no key."""
    if key is None or not _KEY.fullmatch(key):
        return ()
    return (f"{key}/{language}", key) if language else (key,)


def parse_framework(advice: str) -> Framework | None:
    """Return the framework in a reply (JSON, with or without a fence), or None when it is none or unusable."""
    fenced = _FENCE.match(advice)
    try:
        framework = Framework.model_validate(json.loads(fenced["body"] if fenced else advice))
    except (ValueError, ValidationError, RecursionError):
        return None
    return None if any(faults(framework)) else framework


def faults(framework: Framework) -> Iterator[str]:
    """Yield codes of what makes a framework unusable."""
    asked = [*(slot.name for slot in framework.slots), *(check.name for check in framework.checks)]
    names = [*asked, *(formula.name for formula in framework.formulas)]
    if len(names) != len(set(names)):
        yield "name-twice"
    known = set(asked)
    for formula in framework.formulas:
        used = formulas.names_in(formula.expression)
        if used is None:
            yield "formula-unreadable"
        elif not used <= known:
            yield "formula-name-unknown"
        known.add(formula.name)
    if not template.names_in(framework.template) <= known:
        yield "template-name-unknown"
    if template.carries_out(framework.template):
        yield "template-carries-out"
    if not framework.template.strip():
        yield "template-empty"
    if any(_holds_surrogate(text) for text in _texts(framework)):
        yield "surrogate-inside"


def _texts(framework: Framework) -> Sequence[str]:
    questions = [*(slot.question for slot in framework.slots), *(check.question for check in framework.checks)]
    return (framework.title, framework.template, *questions)


def _holds_surrogate(text: str) -> bool:
    """A framework serves every task of its kind, so nothing that stands for one task's values may be in it."""
    return any(lookalike.exact for lookalike in find_lookalikes(text))
