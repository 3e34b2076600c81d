"""The demo's outcome as one JSON object on stdout, for programs; the report is the same for both."""

from decimal import Decimal
from pathlib import Path

from hybridmesh.infra.cli.console import write_json
from hybridmesh.infra.demo.outcome import Outcome
from hybridmesh.infra.demo.summary import Summary


def show_json(summary: Summary, report: Path) -> None:
    """Write it; sums of money are strings, as everywhere in the mesh, times seconds and sizes bytes."""
    privacy, audit = summary.privacy, summary.verification
    write_json(
        {
            "tickets": [_ticket(outcome) for outcome in summary.outcomes],
            "cloud": {"kind": summary.cloud.value, "name": summary.cloud_words},
            "cost_usd": _money(summary.spent),
            "all_cloud_usd": _money(summary.all_cloud),
            "left": {"requests": len(summary.bodies), "bytes": sum(len(body.encode()) for body in summary.bodies)},
            "privacy": privacy
            and {
                "planted": privacy.planted,
                "leaked": len(privacy.leaked),
                "greeted": privacy.greeted,
                "to_greet": privacy.to_greet,
            },
            "audit": {"whole": not audit.findings, "events": audit.entries, "findings": len(audit.findings)},
            "set_up_s": round(summary.set_up_s, 1),
            "run_s": round(summary.run_s, 1),
            "peak_bytes": summary.peak_bytes,
            "report": str(report),
        }
    )


def _ticket(outcome: Outcome) -> dict[str, object]:
    return {
        "id": outcome.ticket.id,
        "task_id": outcome.task_id,
        "done": outcome.done,
        "category": outcome.category,
        "lanes": dict(outcome.lanes),
        "why": outcome.why,
        "verdict": outcome.verdict,
        "cost_usd": _money(outcome.spent),
        "request": outcome.request,
        "reply": outcome.draft,
    }


def _money(amount: Decimal) -> str:
    return f"{amount:f}"
