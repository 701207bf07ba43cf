"""What commands print: tables for people, JSON for machines. Texts are shown as they are, never as markup."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from workbench.i18n import chance, percent
from workbench.i18n import gettext as _
from workbench.masking import masked
from workbench.texts import is_line, tidy
from workbench.visible import HIDDEN, escaped, visible

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from workbench.cutoffs import Cutoff
    from workbench.encoders import Encoder
    from workbench.scorers import Scorer

# Width of tables that go into a file or a pipe, where there is no terminal to ask.
PIPED_WIDTH = 100
# The other columns of a table of hits, and the space between them.
WIDTH_BESIDE_TEXT = 28
WIDTH_OF_PROBABILITY = 23
LEAST_WIDTH_OF_TEXT = 20
MOST_ROWS = 20
LONGEST_TITLE = 80
# Where a line of a table may be broken: before an interval. Spaces between columns.
INTERVAL = re.compile(r" (?=\()|(?=\uff08)")
BETWEEN = 3

# Between these a line may be broken: a word, or a CJK character with the marks that must not begin a line.
_CJK = "\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef"
_CLOSING = "\uff0c\u3002\u3001\uff1b\uff1a\uff01\uff1f\uff09\u300b\u300d\u300f\u3011\u201d\u2019"
PIECE = rf"(?:[{_CJK}]|[^\s{_CJK}]+)[{_CLOSING}]*"


def print_json(value: Any) -> None:
    """One JSON document on stdout; what acts on a terminal is escaped as JSON does it."""
    text = json.dumps(masked(value), ensure_ascii=False, indent=2, allow_nan=False)
    typer.echo(HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], text))


def answer(as_json: bool, entry: Mapping[str, Any], *sentences: str) -> None:
    """What a command found: for machines, or for people, a sentence a line."""
    if as_json:
        print_json(entry)
    else:
        for sentence in sentences:
            say(sentence)


def note(sentence: str) -> None:
    """A remark for people, on stderr, so that stdout holds the answer only."""
    tell(sentence, dim=True)


def tell(sentence: str, **style: Any) -> None:
    """Lines on stderr, in a style of click's."""
    typer.secho(visible(sentence), err=True, **style)


def stdout_console() -> Console:
    """A rich console on stdout that neither reads markup nor colours numbers, nor lets a text drive it."""
    from rich.console import Console

    class Visible(Console):
        # Whatever is printed passes here, colours apart from texts.
        def render(self, renderable: Any, options: Any = None) -> Any:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=escaped(segment.text))

    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PIPED_WIDTH
    return Visible(width=width, markup=False, highlight=False, emoji=False)


def print_hits(hits: Sequence[Mapping[str, Any]], title: str | None = None) -> None:
    """Hits as a table: rank, score with 4 decimals, match as sign and word, text."""
    console = stdout_console()
    table = simple_table(title)
    table.add_column(_("rank"), justify="right")
    table.add_column(_("score"), justify="right", no_wrap=True)
    table.add_column(_("match"), no_wrap=True)
    probable = any("probability" in hit for hit in hits)
    # On a narrow terminal it stands below the text.
    beside = probable and console.width - WIDTH_BESIDE_TEXT - WIDTH_OF_PROBABILITY >= LEAST_WIDTH_OF_TEXT
    if beside:
        table.add_column(_("probability"), no_wrap=True)
    table.add_column(_("text"), overflow="fold")
    # rich breaks lines at spaces only, which Chinese has none of.
    width = max(LEAST_WIDTH_OF_TEXT, console.width - WIDTH_BESIDE_TEXT - WIDTH_OF_PROBABILITY * beside)
    for hit in hits:
        table.add_row(
            str(hit["rank"]),
            f"{hit['score']:.4f}",
            _judged(hit["is_match"]),
            *([_chance(hit)] if beside else []),
            _hit_text(hit, width).append(f"\n{_chance(hit)}" if probable and not beside else ""),
        )
    console.print(table)


def print_table(rows: Sequence[Mapping[str, Any]], title: str | None = None) -> None:
    """Any records as a table, the first of them where there are many; hits as :func:`print_hits`."""
    if rows and {"rank", "score", "is_match", "text"} <= rows[0].keys():
        print_hits(rows, title)
        return
    table = simple_table(title)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    for column in columns:
        numbers = all(_is_number(row.get(column)) for row in rows)
        table.add_column(_text(column), justify="right" if numbers else "left", overflow="fold")
    for row in rows[:MOST_ROWS]:
        table.add_row(*(_text(shown(row.get(column))) for column in columns))
    if len(rows) > MOST_ROWS:
        table.caption = _text(_("and {n} more").format(n=f"{len(rows) - MOST_ROWS:,}"))
    stdout_console().print(table)


def simple_table(title: str | None = None, caption: str | None = None) -> Table:
    """A table without lines but the one below its head."""
    from rich import box
    from rich.table import Table

    return Table(
        title=None if title is None else _text(title, style="bold"),
        title_justify="left",
        caption=None if caption is None else _text(caption),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )


def cells_table(
    cells: pd.DataFrame, width: int, title: str | None = None, caption: str | None = None
) -> Table:
    """Texts as a table: names give way, figures stay whole, intervals go below them where it is narrow."""
    from rich.cells import cell_len
    from rich.text import Text

    def widest(column: pd.Series[str]) -> int:
        return max(cell_len(line) for text in column for line in text.split("\n"))

    table = simple_table(title, caption)
    texts = cells.astype(str).map(lambda text: "\n".join(map(one_line, text.split("\n"))))
    # Heads are broken between words.
    heads = {head: max(map(cell_len, head.split() or [""])) for head in texts.columns}
    if sum(max(heads[head], widest(texts[head])) + BETWEEN for head in texts.columns) > width:
        texts = texts.map(lambda text: INTERVAL.sub("\n", text))
    for head in texts.columns:
        is_name = head in (_("group"), _("encoder"), _("figure"))
        table.add_column(head, overflow="fold", min_width=8 if is_name else widest(texts[head]))
    for row in texts.itertuples(index=False, name=None):
        table.add_row(*map(Text, row))
    return table


def say(sentence: str) -> None:
    """A line of the answer, on stdout; it is not broken into lines."""
    stdout_console().print(one_line(sentence), soft_wrap=True)


def print_signed(lines: Iterable[tuple[str, str, str]]) -> None:
    """Sentences behind a sign and its colour; those without a sign go with the one above them."""
    from rich.table import Table

    console = stdout_console()
    table = Table.grid(padding=(0, 1))
    for sign, colour, sentence in lines:
        said = wrapped(sentence, console.width - 2)
        table.add_row(_text(sign, f"bold {colour}"), said, style="bold" if sign else "")
    console.print(table)


def print_facts(facts: Mapping[str, Any]) -> None:
    """Names and values, a line each."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(_text(name, style="bold"), _text(shown(value) or "–"))
    stdout_console().print(table)


def print_rows(rows: Iterable[Sequence[str]]) -> None:
    """Texts in columns, without a head; the first are numbers."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", min_width=4)
    for row in rows:
        table.add_row(*map(_text, row))
    stdout_console().print(table)


def shown(value: Any) -> str:
    """A value for people: 4 decimals, nothing for None, JSON for lists and objects."""
    match value:
        case None:
            return ""
        case bool():
            return _("yes") if value else _("no")
        case float():
            return f"{value:.4f}"
        case str():
            return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def one_line(text: str) -> str:
    """A text on one line, of which nothing acts on the terminal."""
    return tidy(visible(text))


def wrapped(text: str, width: int) -> Text:
    """Text in lines of at most `width` cells, broken between Chinese characters too."""
    from rich.cells import cell_len
    from rich.text import Text

    lines = [""]
    # A number and its per cent sign stay together.
    for piece in re.findall(rf"{PIECE}(?: %\S*)?\s*", visible(text)):
        if lines[-1] and cell_len((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return Text("\n".join(line.rstrip() for line in lines))


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


def encoder_line(encoder: Encoder | Scorer) -> str:
    """The encoder or scorer in a line, with the reason if it was chosen automatically."""
    from workbench.scorers import Scorer

    if isinstance(encoder, Scorer):
        return f"{encoder.name}, {encoder.fingerprint}"
    said = _("{name}, {dimension} dimensions, {device}, {fingerprint}").format(
        name=encoder.name,
        dimension=encoder.dimension,
        device=encoder.device,
        fingerprint=encoder.fingerprint,
    )
    because = getattr(encoder, "chosen_because", None)
    if not because:
        return said
    return _("{encoder} (chosen automatically: {because})").format(
        encoder=said, because=because.rstrip(".\u3002")
    )


def cutoff_entry(cutoff: Cutoff) -> dict[str, Any]:
    """The cutoff in JSON, with its precision at the prevalence that it is used at."""
    precision = cutoff.figure("precision")
    return {
        "value": float(cutoff.value),
        "is_calibrated": cutoff.is_calibrated,
        "encoder_name": cutoff.encoder_name,
        "fingerprint": cutoff.fingerprint,
        "is_demonstration": cutoff.is_demonstration,
        "prevalence": cutoff.prevalence,
        "prevalence_is": None if cutoff.prevalence is None else cutoff.prevalence_is,
        "precision": precision and precision._asdict(),
    }


def probability_line(cutoff: Cutoff) -> str | None:
    """What the probabilities of hits are from and for; None if the card has none."""
    table, share = cutoff.evidence.get("probability"), cutoff.prevalence
    if table is None or share is None:
        return None
    return _(
        "Probability of a match from {n} labelled pairs, for pairs of which {share} are matches; '?' is a "
        "guess beyond all labelled scores."
    ).format(n=table.get("n", "?"), share=percent(share))


def _judged(is_match: bool | None) -> Text:
    from rich.text import Text

    if is_match is None:
        return Text("–", "dim")
    return Text(f"✓ {_('yes')}", "green") if is_match else Text(f"· {_('no')}", "dim")


def _hit_text(hit: Mapping[str, Any], width: int) -> Text:
    """A line whole; of a document its first line, and the part that carries the hit."""
    text, phrase = str(hit["text"]), hit.get("phrase")
    if is_line(text):
        return wrapped(one_line(text), width)
    source = (hit.get("metadata") or {}).get("source") or hit.get("source") or ""
    title = " · ".join(filter(None, [str(source), one_line(text.splitlines()[0])[:LONGEST_TITLE]]))
    # A row of a frame, as notebooks keep their results, has the phrase itself.
    part = phrase["text"] if isinstance(phrase, Mapping) else phrase or ""
    said = wrapped(title, width)
    said.stylize("bold")
    return said.append("\n").append_text(wrapped(one_line(part), width)) if part else said


def _chance(hit: Mapping[str, Any]) -> str:
    found = hit.get("probability")
    if found is None:
        return "–"
    if not isinstance(found, Mapping):
        # A row of a frame, as notebooks keep their results.
        return chance(float(found), float(hit["probability_low"]), float(hit["probability_high"]))
    return chance(found["value"], found["low"], found["high"]) + (" ?" if found["is_guess"] else "")


def _text(value: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(one_line(value), style=style)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
