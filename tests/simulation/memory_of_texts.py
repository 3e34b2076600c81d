"""Results of slow pure functions of one text, kept: the texts of schedules are few, and are read again and again.

What is replaced computes the same; a schedule only takes less time.
"""

import copy
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar, cast

from hybridmesh.agents.classifier.normalise import normalise
from hybridmesh.agents.classifier.quasi_identifiers import find_generic
from hybridmesh.agents.consultant.egress_scan import scan_text
from hybridmesh.agents.verifier.claims import find_statements, text_keys

T = TypeVar("T")

_PURE: tuple[Callable[[str], object], ...] = (scan_text, find_statements, text_keys, find_generic, normalise)
_MOST = 4096


def remember_texts() -> None:
    """Put the remembering functions in the place of the others, wherever these were imported."""
    for function in _PURE:
        kept = _remembering(function)
        for name, module in list(sys.modules.items()):
            if name.startswith("hybridmesh."):
                for attribute, value in list(vars(module).items()):
                    if value is function:
                        setattr(module, attribute, kept)


def _remembering(function: Callable[[str], T]) -> Callable[[str], T]:
    results: dict[str, T] = {}

    def remembered(text: str) -> T:
        if text not in results:
            if len(results) >= _MOST:
                results.clear()
            result = function(text)
            results[text] = (
                cast("T", tuple(cast("Iterator[object]", result))) if isinstance(result, Iterator) else result
            )
        return copy.copy(results[text])

    return remembered
