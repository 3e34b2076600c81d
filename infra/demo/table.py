"""Shows the demo's outcome on the terminal: the table on stdout, its reading on stderr."""

from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hybridmesh.infra.cli.console import data, people
from hybridmesh.infra.demo.outcome import REPLY, REQUEST, Outcome
from hybridmesh.infra.demo.summary import Summary
from hybridmesh.infra.simulation import CloudChoice

_SHOWN_DRAFTS = 3
_SHOWN_BODIES = 1


def show_outcome(summary: Summary, report: Path) -> None:
    """Print the table, some drafts, what left, the sums and the audit's verdict."""
    data.print(_table(summary))
    _show_drafts(summary, data)
    _show_bodies(summary, data)
    for line in sums(summary):
        data.print(line, markup=False)
    people.print(f"report   {report}", markup=False)


def sums(summary: Summary) -> list[str]:
    """Return the lines below the table."""
    spent, all_cloud = summary.spent, summary.all_cloud
    saved = (1 - spent / all_cloud) * 100 if all_cloud else Decimal(0)
    simulated = " (SIMULATED: list prices, nothing was paid)" if summary.cloud is CloudChoice.SIMULATED else ""
    lines = [
        f"cloud    {summary.cloud_words}",
        f"cost     {spent:.4f} USD, all-cloud {all_cloud:.4f} USD: {saved:.0f} % saved{simulated}",
        f"left     {len(summary.bodies)} requests, {sum(len(body.encode()) for body in summary.bodies):,} bytes",
    ]
    if summary.privacy is not None:
        privacy = summary.privacy
        lines.append(
            f"privacy  {len(privacy.leaked)} of {privacy.planted} planted private values reached the cloud's record; "
            f"{privacy.greeted} of {privacy.to_greet} drafts greet by the real name"
        )
    lines += [
        f"audit    {summary.verification.describe()}",
        f"time     set-up {summary.set_up_s:.0f} s, run {summary.run_s:.0f} s",
        f"memory   {summary.peak_bytes / 2**30:.2f} GiB at the peak, all processes together",
    ]
    return lines


def _table(summary: Summary) -> Table:
    table = Table(title="Tickets", title_justify="left", header_style="bold")
    for name in ("ticket", "category", "lane", "why", "verdict", "cost USD"):
        table.add_column(name, justify="right" if name == "cost USD" else "left", overflow="fold")
    for outcome in summary.outcomes:
        table.add_row(
            outcome.ticket.id,
            outcome.category,
            _lanes(outcome),
            Text(outcome.why),
            outcome.verdict,
            f"{outcome.spent:.5f}",
        )
    return table


def _lanes(outcome: Outcome) -> str:
    return "\n".join(f"{step}: {lane}" for step, lane in outcome.lanes.items()) or outcome.lane


def _show_drafts(summary: Summary, console: Console) -> None:
    cloudy = [outcome for outcome in summary.outcomes if outcome.draft and outcome.lane != "local"]
    chosen = cloudy or [outcome for outcome in summary.outcomes if outcome.draft]
    for outcome in chosen[:_SHOWN_DRAFTS]:
        console.rule(f"{outcome.ticket.id}, the request ({outcome.lanes.get(REQUEST, '-')})", align="left")
        console.print(outcome.request, markup=False)
        console.rule(f"{outcome.ticket.id}, the reply ({outcome.lanes.get(REPLY, '-')})", align="left")
        console.print(outcome.draft, markup=False)
    console.rule(align="left")


def _show_bodies(summary: Summary, console: Console) -> None:
    for body in summary.bodies[:_SHOWN_BODIES]:
        console.print("one of the requests that left, byte for byte:", markup=False)
        console.print(body, markup=False)
        console.rule(align="left")
