"""``workbench rank``: whole JDs and résumés in, a shortlist for each JD out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import Json
from workbench.cli.output import print_json, print_rows, say
from workbench.cli.running import ExitCode
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed

WRITTEN = (".xlsx", ".csv", ".html")


def rank(
    jds: Annotated[Path, typer.Argument(metavar="JDS", help="A folder, a zip, a table or a file of JDs.")],
    resumes: Annotated[Path, typer.Argument(metavar="RESUMES", help="The same of résumés.")],
    scorer: Annotated[
        str | None,
        typer.Option(
            "--scorer",
            "-s",
            metavar="SPEC",
            help="Such as use, use+relative, qwen3-4b+relative.",
            show_default="the card's, else relative, with the encoder of the settings",
        ),
    ] = None,
    card: Annotated[
        Path | None, typer.Option("--card", metavar="CARD", help="A cutoff card; it names its scorer.")
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", metavar="N", help="Candidates for each JD.")] = 10,
    must: Annotated[
        list[str] | None,
        typer.Option(
            "--must",
            metavar="CONDITION",
            help="A must-have that is shown beside the score and leaves nobody out, such as 'years >= 5', "
            "'degree >= bachelor', 'language = German', 'certificate = RN | ICU' or 'has: ventilation'; may "
            "be given again.",
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write the shortlists to this file (.xlsx, .csv or .html); may be given again.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a shortlist of RESUMES for each of JDS, with the evidence.

    Exit code 0 if it was made, and everything could be read; 1 if some file could not.
    """
    from workbench.files.exporting import export_frame
    from workbench.reports.shortlist import write_shortlist_report
    from workbench.shortcuts import rank as run

    for file in out or ():
        if file.suffix.lower() not in WRITTEN:
            raise InputError(
                _("--out is {file}; it ends with {suffixes}.").format(file=file, suffixes=listed(WRITTEN))
            )
    found = run(
        jds,
        resumes,
        scorer=scorer,
        cutoff=card,
        top=top,
        conditions=must or (),
    )
    for file in out or ():
        match file.suffix.lower():
            case ".xlsx":
                found.to_excel(file)
            case ".csv":
                export_frame(found.to_frame(), file)
            case _:
                write_shortlist_report(found, file)
    unread = [*found.jds.unread, *found.resumes.unread]
    if as_json:
        print_json({**found.to_dict(), "files": [str(file) for file in out or ()]})
    else:
        for line in found.summary().splitlines():
            say(line)
        signs = {None: "", True: "✓ ", False: "— "}
        for jd_id, some in found.shortlists.items():
            say("")
            say(jd_id)
            shown = some[: 3 if out else top]
            ids = [signs[each.is_match] + each.resume_id for each in shown]
            titles = [each.coverage.resume.title for each in shown]
            ranks = [f"{each.rank}" for each in shown]
            scores = [f"{each.score:.4f}" for each in shown]
            print_rows(zip(ranks, scores, ids, titles, strict=True))
        for file in out or ():
            say(_("Written: {file}").format(file=file))
    if unread:
        raise typer.Exit(ExitCode.NO)
