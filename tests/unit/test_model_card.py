"""The token classifier's card: it gives the figures of the model that ships, as they were measured."""

import json
from typing import Any

from bench.privacy.card import fingerprint, table, written
from house import CHECKOUT

RESULTS = CHECKOUT / "tests" / "bench" / "results" / "privacy.json"


def test_the_figures_are_those_of_the_model_that_ships() -> None:
    """Nothing private leaves: who reads the card reads what this model and these thresholds were measured at."""
    results: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    assert results["model"] == fingerprint()
    assert written() == table(results["scores"])
