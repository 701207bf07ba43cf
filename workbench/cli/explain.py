"""``workbench explain``: which phrases of a résumé text and a JD lift or lower their score."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from workbench.cli.output import encoder_entry, encoder_line, note, print_json, say, stdout_console, wrapped
from workbench.cli.search import Json
from workbench.texts import tidy

__all__ = ["explain"]


def explain(
    resume: Annotated[str, typer.Argument(metavar="RESUME", help="A candidate's skill text.")],
    jd: Annotated[str, typer.Argument(metavar="JD", help="A job requirement.")],
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            "-e",
            metavar="SPEC",
            help="As of 'workbench search'; 'workbench doctor' says which can be loaded here.",
            show_default="auto",
        ),
    ] = None,
    language: Annotated[
        Literal["zh", "en"] | None,
        typer.Option("--language", help="Of what is said.", show_default="that of the settings"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show which phrases of RESUME and JD lift (+) or lower (-) their score.

    Each phrase is left out in turn, and the score taken again. Effects do not add up to the score: phrases
    work together.
    """
    from workbench.encoders import load_encoder
    from workbench.exploration import explain as explain_score
    from workbench.settings import get_settings

    loaded = load_encoder(encoder)
    found = explain_score(jd, resume, loaded)
    if as_json:
        print_json({**found.to_dict(), "encoder": encoder_entry(loaded)})
        return
    console = stdout_console()
    for line in found.to_text(language or get_settings().language).splitlines():
        console.print(wrapped(tidy(line), console.width))
    say(f"Encoder {encoder_line(loaded)}.")
    if any(side.was_cut for side in (found.jd, found.resume)):
        note("A text was too long; only what is encoded is shown.")
