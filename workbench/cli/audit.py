"""``workbench audit``: selection and scoring rates by category, as a page and a table."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import ColumnNames, EncoderSpec, Json, read_scored
from workbench.cli.output import note, print_json, print_table, say
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, percent

if TYPE_CHECKING:
    import pandas as pd

    from workbench.cutoffs import Cutoff

PEOPLE = ("candidate_id", "resume_id", "id")
JDS = ("jd_id", "jd")


def audit(
    card: Annotated[Path, typer.Argument(metavar="CARD", help="File of a cutoff card.")],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Who was assessed, a row each: a decision log, a table with scores, or pairs to be encoded.",
        ),
    ],
    sex: Annotated[str | None, typer.Option(metavar="COLUMN", help="Of the sex.")] = None,
    race: Annotated[str | None, typer.Option(metavar="COLUMN", help="Of race or ethnicity.")] = None,
    groups: Annotated[
        str | None, typer.Option(metavar="COLUMNS", help="Of other categories, such as age_group,language.")
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE", help="Categories of each candidate, where DATA has none: joined by --person."
        ),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="That names candidates.", show_default="candidate_id, resume_id or id"
        ),
    ] = None,
    score: Annotated[str, typer.Option(metavar="COLUMN", help="Of the scores.")] = "score",
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="When each row was assessed, for the period of use.")
    ] = None,
    exclude_below: Annotated[
        float, typer.Option(metavar="SHARE", help="Leave smaller categories out of impact ratios; 0: none.")
    ] = 0.02,
    justification: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why they are left out; stands on the page.")
    ] = None,
    unknown: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="That says that a category is not known, beside blank cells."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Source and explanation of the data, for the page.")
    ] = None,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of intervals.")] = 0.95,
    encoder: EncoderSpec = None,
    column: ColumnNames = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="AUDIT.html", help="Write the page here, and a .csv beside it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write selection rates, scoring rates and impact ratios by category at the cutoff of CARD.

    As New York City's Local Law 144 defines them (6 RCNY § 5-301), by each column and by all together, with
    intervals; and the record of use that the EU AI Act asks for, from a decision log. No one is dropped:
    unknown categories are counted, small ones are named.
    """
    from workbench.calibration.audit import audit as run_audit
    from workbench.cutoffs import Cutoff
    from workbench.reports.audit import write_audit

    by = [name for name in (sex, race, *_split(groups)) if name]
    if not by:
        raise InputError(_("Name the columns of categories: --sex, --race or --groups."))
    cutoff = Cutoff.load(card)
    rows, facts, record = _read(data, cutoff, encoder, column, score, time)
    person = person or next((name for name in PEOPLE if name in rows.columns), None)
    if people is not None:
        rows, person, told = _joined(rows, people, person)
        facts |= told
    found = run_audit(
        rows,
        cutoff,
        by,
        score=score if score in rows.columns else "score",
        person=person,
        jd=next((name for name in JDS if name in rows.columns), None),
        smallest_share=exclude_below,
        unknown=unknown or [],
        confidence=confidence,
        data={**facts, "source": source, "justification": justification},
        record=record,
    )
    written = None if out is None else write_audit(found, out)
    if as_json:
        print_json({**found.to_dict(), "files": [str(path) for path in written or ()]})
        return
    for part in found.categories:
        print_table([_shown(row) for row in part.frame.to_dict("records")], _("By {by}").format(by=part.by))
        say(part.selection.summary())
    for path in written or ():
        say(_("Written: {file}").format(file=path))


def _split(names: str | None) -> list[str]:
    return [name.strip() for name in (names or "").split(",")]


def _read(
    data: Path,
    cutoff: Cutoff,
    encoder: str | None,
    column: list[str] | None,
    score: str,
    time: str | None,
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """Rows with scores, where they come from, and what is known of use."""
    from workbench.decision_log import DecisionLog
    from workbench.pairs.tables import read_table

    file = data / "pairs.csv" if data.is_dir() else data
    facts: dict[str, Any] = {"file": file.name}
    if DecisionLog.is_log(data):
        rows, record = _from_log(data, cutoff)
        facts["scores"] = "log"
    else:
        rows = read_table(file)
        if score in rows.columns:
            facts["scores"] = "table"
        elif {"jd", "resume"} <= {*rows.columns, *(name.partition("=")[0] for name in column or ())}:
            rows = _encoded(data, cutoff, encoder, column)
            facts["scores"] = "encoded"
        else:
            raise InputError(
                _(
                    "{file} has neither the column {score} nor jd and resume to be encoded; its columns are: "
                    "{columns}. Name the scores with --score."
                ).format(file=file.name, score=score, columns=listed(rows.columns))
            )
        record = _period(rows, time)
    facts["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return rows, facts, record


def _from_log(path: Path, cutoff: Cutoff) -> tuple[pd.DataFrame, dict[str, Any]]:
    from workbench.decision_log import DecisionLog

    rows = DecisionLog(path).pairs(cutoff)
    decided = rows[rows["label"].notna()]
    record = {
        "start": rows["at"].min(),
        "end": rows["at"].max(),
        "people": {str(name): int(n) for name, n in decided["who"].value_counts().items()},
        "decided": len(decided),
        "elsewhere": int((rows["machine"].astype(bool) != (rows["score"] > cutoff.value)).sum()),
        "overruled": int((decided["label"].astype(bool) != decided["machine"].astype(bool)).sum()),
    }
    return rows, record


def _encoded(data: Path, cutoff: Cutoff, encoder: str | None, column: list[str] | None) -> pd.DataFrame:
    from workbench.encoders import load_encoder

    loaded = load_encoder(encoder if encoder is not None else cutoff.encoder_name)
    # Before hours of encoding, not after.
    cutoff.check_encoder(loaded.name, loaded.fingerprint)
    return read_scored(data, loaded, column, labelled=False)


def _period(rows: pd.DataFrame, time: str | None) -> dict[str, Any]:
    from workbench.calibration.observations import check_column

    if time is None:
        return {}
    check_column(rows, time)
    known = rows[time].dropna().astype(str)
    known = known[known.str.strip() != ""]
    return {"start": known.min(), "end": known.max()} if len(known) else {}


def _joined(rows: pd.DataFrame, people: Path, person: str | None) -> tuple[pd.DataFrame, str, dict[str, Any]]:
    """Rows with the categories of their candidates; those who are not in the table are of unknown ones."""
    from workbench.pairs.tables import read_table

    table = read_table(people)
    own = (
        person if person in table.columns else next((name for name in PEOPLE if name in table.columns), None)
    )
    if person is None or own is None or person not in rows.columns:
        raise InputError(
            _(
                "{file} cannot be joined: no column names candidates on both sides. Name it with "
                "--person, in both tables ({columns})."
            ).format(file=people.name, columns=listed(table.columns))
        )
    ids = table[own].astype(str).str.strip()
    if ids.duplicated().any():
        raise InputError(
            _("{file} has the candidate {name} more than once; keep one row each.").format(
                file=people.name, name=repr(ids[ids.duplicated()].iloc[0])
            )
        )
    more = table.drop(
        columns=[own, *(name for name in table.columns if name in rows.columns and name != own)]
    )
    attrs, keys = rows.attrs, rows[person].astype(str).str.strip()
    missing = int((~keys.isin(set(ids))).sum())
    joined = rows.join(more.set_axis(ids.to_numpy()).reindex(keys).set_axis(rows.index))
    joined.attrs = attrs
    if missing:
        note(
            ngettext(
                "{n} row has a candidate who is not in {file}; their categories count as unknown.",
                "{n} rows have a candidate who is not in {file}; their categories count as unknown.",
                missing,
            ).format(n=f"{missing:,}", file=people.name)
        )
    digest = hashlib.sha256(people.read_bytes()).hexdigest()
    return joined, person, {"groups_file": people.name, "groups_sha256": digest}


def _shown(row: dict[Any, Any]) -> dict[str, str]:
    def rate(value: float) -> str:
        return percent(value)

    def ratio(kind: str) -> str:
        value, low, high = (row[f"{kind}_{end}"] for end in ("ratio", "low", "high"))
        return "–" if value != value else f"{value:.2f} ({low:.2f}–{high:.2f})"

    category = row["category"] or _("unknown")
    if row["status"] == "excluded":
        category = _("{category}, left out: too few").format(category=category)
    return {
        _("category"): category,
        _("applicants"): f"{row['n']:,}",
        _("selection rate"): rate(row["selection_rate"]),
        _("impact ratio"): ratio("selection"),
        _("scoring rate"): rate(row["scoring_rate"]),
        _("its impact ratio"): ratio("scoring"),
    }
