# SPDX-License-Identifier: GPL-3.0-or-later
"""The same text as :mod:`.text`, with colours and folding for a terminal."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, cast

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable
from breakwater.render.text import explained, headline, place, summary

if TYPE_CHECKING:
    from typing import Literal

    from breakwater.report import Report

STYLES = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan", "info": "dim"}


def render(report: Report) -> str:
    """Write the report with the escape sequences of a terminal."""
    # The console measures the real terminal, but writes where the caller wants the text.
    buffer = StringIO()
    real = Console()
    console = Console(
        file=buffer,
        width=real.width,
        force_terminal=True,
        # The console names its own colour system in the words that it takes.
        color_system=cast("Literal['standard', '256', 'truecolor', 'windows'] | None", real.color_system),
        no_color=real.no_color,
        highlight=False,
    )
    for item, rows in explained(report):
        style = "dim" if item.finding.waived else STYLES[item.finding.severity]
        console.print(Text.assemble((place(item), "bold"), ": ", (headline(item), style)), soft_wrap=True)
        for label, text in rows:
            console.print(
                Padding(
                    Text.assemble((f"{label}: ", "bold"), (text, "green" if label == "fix" else "")),
                    (0, 0, 0, 4),
                    expand=False,
                )
            )
    for note in report.notes:
        console.print(Text(f"note: {printable(note)}", style="dim"), soft_wrap=True)
    bad = report.open_items() or report.problems
    console.print(Text(summary(report), style="bold" if bad else "bold green"), soft_wrap=True)
    return buffer.getvalue()
