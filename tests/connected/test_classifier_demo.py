"""Nothing private leaves: on the demo's tickets, every planted value is cut and every reference stays."""

import csv
import json
import time
from pathlib import Path
from typing import Any

import pytest

from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.classifier.door import judge, prompt_texts
from hybridmesh.agents.classifier.redaction import redact, redacted_of
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.agents.classifier.token_classifier import TokenClassifier
from hybridmesh.agents.router.prompts import compose
from hybridmesh.bus.settings import PrivacySettings
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.surrogates import restore

pytestmark = [pytest.mark.connected, pytest.mark.model]

DEMO = Path(__file__).parents[2] / "infra" / "demo"
KEY = b"k" * 32


def read_rows() -> dict[str, dict[str, str]]:
    with (DEMO / "tickets.csv").open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


PLANTED: list[dict[str, Any]] = json.loads((DEMO / "planted.json").read_text("utf-8"))["tickets"]
ROWS = read_rows()


@pytest.fixture(scope="module")
def demo_detector() -> Detector:
    folder = Path.home() / ".cache" / "hybridmesh" / "models" / "pii-rampart"
    if not (folder / "model.onnx").is_file():
        pytest.skip("pii-rampart is not prepared: the demo's promise was NOT tested")
    privacy = PrivacySettings()
    return Detector(
        tagger=TokenClassifier(folder), terms=TermRecognizer(privacy.terms), thresholds=Thresholds(privacy.threshold),
        max_chars=privacy.max_chars, timeout_s=privacy.timeout_s, monotonic=time.monotonic,
    )  # fmt: skip


@pytest.mark.parametrize("ticket", PLANTED, ids=[ticket["id"] for ticket in PLANTED])
async def test_no_planted_value_is_left(demo_detector: Detector, ticket: dict[str, Any]) -> None:
    """Nothing private leaves: zero planted values pass, in any case; references, sums and dates do; all comes back."""
    row = ROWS[ticket["id"]]
    texts = ["Draft a reply to the customer.", row["subject"], row["body"]]
    redaction = await redact(demo_detector.find, texts, KEY, {})
    body = redaction.result.texts[2]
    assert [item["value"] for item in ticket["private"] if item["value"].lower() in body.lower()] == []
    assert [value for value in ticket["keep"] if value not in body] == []
    assert restore(body, redaction.result.originals).text == row["body"]


async def test_the_clean_ticket_stays_as_it_is(demo_detector: Detector) -> None:
    """Nothing is lost: a ticket with nothing private is not touched."""
    clean = [ticket for ticket in PLANTED if not ticket["private"] and ROWS[ticket["id"]]["body"]]
    assert clean
    for ticket in clean:
        redaction = await redact(demo_detector.find, [ROWS[ticket["id"]]["body"]], KEY, {})
        assert redaction.result.originals == {}


async def test_the_door_stops_every_raw_ticket(demo_detector: Detector) -> None:
    """Nothing private leaves: were a ticket sent as it came, the door alone would refuse it."""
    for ticket in PLANTED:
        body = ROWS[ticket["id"]]["body"]
        verdict = judge([body], await demo_detector.find([body]), {})
        assert (verdict.reason is not None) == bool(ticket["private"])


@pytest.mark.timeout(180)
async def test_redacted_tickets_pass_the_door_as_the_router_sends_them(demo_detector: Detector) -> None:
    """Work goes on: false alarms at the door, which cost the cloud's help and never privacy, stay under a tenth."""
    spec = StepSpec(id="reply", title="Reply", instruction="Draft a polite reply that answers every question.")
    refused: list[str] = []
    for name, row in ROWS.items():
        texts = [
            "Handle this week's tickets.",
            spec.instruction,
            f"ticket {name}",
            f"{row['subject']}\n\n{row['body']}",
        ]
        redaction = await redact(demo_detector.find, texts, KEY, {})
        prompt = prompt_texts(compose(redacted_of(redaction.result.texts), spec))
        if judge(prompt, await demo_detector.find(prompt), redaction.result.originals).reason is not None:
            refused.append(name)
    assert len(refused) <= len(ROWS) // 10, refused
