"""Writes the demo's report: one HTML file that needs nothing else, with every draft and every byte that left."""

from html import escape
from pathlib import Path

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.demo.outcome import Outcome
from hybridmesh.infra.demo.summary import Summary
from hybridmesh.infra.demo.table import sums

_TEMPLATE = Path(__file__).parent / "report.html"


def open_report(place: Path) -> None:
    """Make the file for its owner alone, or take the one that is there; raises UsageError for a folder, and OSError."""
    if place.is_dir():
        raise UsageError(f"{place} is a folder", remedy="name a file in it, such as --report report.html")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch(mode=0o600)
    if place.is_file():
        place.chmod(0o600)


def write_report(summary: Summary, place: Path) -> None:
    """Write the file; it holds the private tickets, so only its owner can read it."""
    page = _TEMPLATE.read_text("utf-8")
    parts = {
        "sums": "".join(f"<li>{escape(line)}</li>" for line in sums(summary)),
        "rows": "".join(map(_row, summary.outcomes)),
        "bodies": "".join(f"<pre>{escape(body)}</pre>" for body in summary.bodies) or "<p>Nothing left.</p>",
        "findings": "".join(
            f"<li>entry {finding.sequence}: {escape(finding.problem)}</li>" for finding in summary.verification.findings
        ),
    }
    for name, content in parts.items():
        page = page.replace(f"<!--{name}-->", content, 1)
    open_report(place)
    place.write_text(page, "utf-8")


def _row(outcome: Outcome) -> str:
    cells = (
        outcome.ticket.id,
        outcome.category,
        ", ".join(f"{step}: {lane}" for step, lane in outcome.lanes.items()) or outcome.lane,
        outcome.why,
        outcome.verdict,
        f"{outcome.spent:.5f}",
        f"{outcome.all_cloud:.5f}",
    )
    shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    texts = (
        f"<details><summary>ticket, request and reply</summary><div class=pair><pre>{escape(outcome.ticket.text)}</pre>"
        f"<div><p>{escape(outcome.request)}</p><pre>{escape(outcome.draft)}</pre></div></div><code>{escape(outcome.task_id)}</code></details>"
    )
    return f'<tr class="{escape(outcome.lane)}">{shown}</tr><tr><td colspan=7>{texts}</td></tr>'
