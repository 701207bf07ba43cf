"""What commands print: tables for people, JSON for machines. Texts are shown as they are, never as markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from workbench.texts import tidy

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from workbench.cutoffs import Cutoff
    from workbench.encoders import Encoder

__all__ = [
    "cutoff_entry",
    "encoder_entry",
    "encoder_line",
    "hits_table",
    "note",
    "print_json",
    "stdout_console",
    "table_of",
]

# Width of tables that go into a file or a pipe, where there is no terminal to ask.
PIPED_WIDTH = 100
MOST_ROWS = 20


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def note(sentence: str) -> None:
    """A remark for people, on stderr, so that stdout holds the answer only."""
    typer.secho(sentence, err=True, dim=True)


def stdout_console() -> Console:
    """A rich console on stdout that neither reads markup nor colours numbers."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(width=width, markup=False, highlight=False, emoji=False)


def hits_table(hits: Sequence[Mapping[str, Any]], title: str | None = None) -> Table:
    """Hits as a table: rank, score with 4 decimals, match as sign and word, text."""
    table = _table(title)
    table.add_column("rank", justify="right")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("match", no_wrap=True)
    table.add_column("text", overflow="fold")
    for hit in hits:
        table.add_row(
            str(hit["rank"]),
            f"{hit['score']:.4f}",
            _text("✓ yes" if hit["is_match"] else "· no", style="green" if hit["is_match"] else "dim"),
            _text(hit["text"]),
        )
    return table


def table_of(rows: Sequence[Mapping[str, Any]], title: str | None = None) -> Table:
    """Any records as a table, the first of them where there are many."""
    if rows and {"rank", "score", "is_match", "text"} <= rows[0].keys():
        return hits_table(rows, title)
    table = _table(title)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    for column in columns:
        numbers = all(_is_number(row.get(column)) for row in rows)
        table.add_column(_text(column), justify="right" if numbers else "left", overflow="fold")
    for row in rows[:MOST_ROWS]:
        table.add_row(*(_text(shown(row.get(column))) for column in columns))
    if len(rows) > MOST_ROWS:
        table.caption = _text(f"and {len(rows) - MOST_ROWS} more")
    return table


def shown(value: Any) -> str:
    """A value for people: 4 decimals, nothing for None, JSON for lists and objects."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4f}"
        case str():
            return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def encoder_entry(encoder: Encoder) -> dict[str, Any]:
    """The encoder in JSON."""
    return {
        "name": encoder.name,
        "dimension": encoder.dimension,
        "fingerprint": encoder.fingerprint,
        "instruction": encoder.instruction,
        "device": encoder.device,
        "chosen_because": getattr(encoder, "chosen_because", None),
    }


def encoder_line(encoder: Encoder) -> str:
    """The encoder in a line, with the reason if it was chosen automatically."""
    because = getattr(encoder, "chosen_because", None)
    reason = f" (chosen automatically: {because.rstrip('.')})" if because else ""
    return f"{encoder.name}, {encoder.dimension} dimensions, {encoder.device}, {encoder.fingerprint}{reason}"


def cutoff_entry(cutoff: Cutoff) -> dict[str, Any]:
    """The cutoff in JSON."""
    return {
        "value": float(cutoff.value),
        "is_calibrated": cutoff.is_calibrated,
        "encoder_name": cutoff.encoder_name,
        "fingerprint": cutoff.fingerprint,
    }


def _table(title: str | None) -> Table:
    from rich import box
    from rich.table import Table

    return Table(
        title=None if title is None else _text(title, style="bold"),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )


def _text(value: str, style: str = "") -> Any:
    from rich.text import Text

    # tidy also takes out the control characters with which a text could drive the terminal.
    return Text(tidy(value), style=style)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
