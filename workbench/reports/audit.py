"""A bias audit as one HTML page in both languages that prints well, and as one CSV file for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from workbench.atomic import write_whole
from workbench.calibration.audit import identity
from workbench.calibration.selection_rates import FOUR_FIFTHS
from workbench.errors import InputError
from workbench.files.exporting import export_frame
from workbench.html import render
from workbench.i18n import N_, listed, ngettext, number, percent
from workbench.i18n import gettext as _
from workbench.reports.page import page

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration.audit import Audit, CategoryAudit

TONES = {"below": "bad", "above": "good", "unclear": "fair", None: "fair"}
SCORES = {
    "log": N_("from the decision log, of the hits that were shown, by the card's encoder"),
    "table": N_("as they stand in the table, which does not say by which encoder"),
    "encoded": N_("encoded for this audit, by the card's encoder"),
}
# Regulation (EU) 2024/1689, Articles 19(1) and 26(6): logs are kept for six months at least.
KEPT_MONTHS = 6


def write_audit(audit: Audit, path: str | Path) -> tuple[Path, Path]:
    """Write the page, and the table beside it.

    Parameters
    ----------
    audit : Audit
        Of :func:`workbench.audit`.
    path : str or Path
        An .html file; the table has the same name and ends in .csv.

    Returns
    -------
    tuple of Path
        The page and the table.

    Raises
    ------
    InputError
        If `path` does not end in .html.
    StoreError
        If a file cannot be written.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() != ".html":
        raise InputError(
            _("The page of an audit is an .html file, not {file}; the .csv is put beside it.").format(
                file=path.name
            )
        )
    written = write_whole(path, audit_html(audit))
    return written, export_frame(audit_frame(audit), path.with_suffix(".csv"))


def audit_frame(audit: Audit) -> pd.DataFrame:
    """The rates of all tables, each row with what identifies card, data, date and software."""
    facts = {
        **identity(audit.cutoff),
        "median_score": audit.median,
        **{f"data_{name}": audit.data.get(name) for name in ("file", "sha256", "source", "scores")},
        "rows": audit.n,
        "confidence": audit.confidence,
        "smallest_share": audit.smallest_share,
        "justification": audit.data.get("justification"),
        "period_start": audit.record.get("start"),
        "period_end": audit.record.get("end"),
        "date": audit.date,
        "software": f"jd-resume-workbench {audit.version}",
    }
    return audit.frame.assign(**facts)


def audit_html(audit: Audit) -> str:
    """The page as a string."""
    return page(_("Bias audit"), lambda: _body(audit))


def _body(audit: Audit) -> Markup:
    alone = audit.categories[: max(len(audit.categories) - 1, 1)]
    return render(
        "reports/audit.html",
        audit=audit,
        columns=listed(part.by for part in alone),
        verdicts=[
            (TONES[part.selection.answer], part.by, part.selection.summary()) for part in audit.categories
        ],
        tables=[_table(part, audit) for part in audit.categories],
        facts=list(_facts(audit)),
        record=list(_record(audit)),
        four_fifths=FOUR_FIFTHS,
        repeated=_repeated(audit),
        sure=percent(audit.confidence, None),
        smallest=percent(audit.smallest_share, None),
    )


def _table(part: CategoryAudit, audit: Audit) -> dict[str, Any]:
    rows = part.frame.to_dict("records")
    excluded = [row["category"] for row in rows if row["status"] == "excluded"]
    said = []
    if excluded:
        reason = audit.data.get("justification") or _(
            "so few people say too little about a rate, and could be recognised"
        )
        said.append(
            _(
                "Left out of impact ratios, each with less than {smallest} of the {n} rows: {categories}. "
                "Justification: {reason}."
            ).format(
                smallest=percent(audit.smallest_share, None),
                n=f"{audit.n:,}",
                categories=listed(excluded),
                reason=str(reason).rstrip(".。"),
            )
        )
    if part.unknown:
        said.append(
            ngettext(
                "{n} row has no known category and is in no rate.",
                "{n} rows have no known category and are in no rate.",
                part.unknown,
            ).format(n=f"{part.unknown:,}")
        )
    else:
        said.append(_("No row is of an unknown category."))
    return {"by": part.by, "rows": rows, "said": said, "median": number(audit.median)}


def _repeated(audit: Audit) -> str:
    if not audit.n_people or audit.n_people == audit.n:
        return ""
    return _(
        "Rows are assessments: {n} of {people} different candidates, each counted once for each JD that they "
        "were assessed for."
    ).format(n=f"{audit.n:,}", people=f"{audit.n_people:,}")


def _facts(audit: Audit) -> Iterator[tuple[str, str]]:
    card, data, none = identity(audit.cutoff), audit.data, _("not given")
    yield _("tool"), f"jd-resume-workbench {audit.version}"
    yield _("date of the audit"), audit.date
    yield _("cutoff"), number(audit.cutoff.value)
    yield _("cutoff card"), card["card"] or _("none: a bare number, which nobody measured")
    yield _("encoder"), f"{card['encoder']} [{card['fingerprint']}]" if card["fingerprint"] else none
    yield _("scores"), _(SCORES[data["scores"]]) if data.get("scores") in SCORES else none
    yield _("data"), str(data.get("file") or none)
    if data.get("sha256"):
        yield "SHA-256", str(data["sha256"])
    if data.get("groups_file"):
        yield _("categories from"), f"{data['groups_file']}, SHA-256 {data['groups_sha256']}"
    yield _("source and explanation of the data"), str(data.get("source") or none)
    counts = [ngettext("{n} row", "{n} rows", audit.n).format(n=f"{audit.n:,}")]
    if audit.n_people is not None:
        counts.append(
            ngettext("{n} candidate", "{n} candidates", audit.n_people).format(n=f"{audit.n_people:,}")
        )
    if audit.n_jds is not None:
        counts.append(ngettext("{n} JD", "{n} JDs", audit.n_jds).format(n=f"{audit.n_jds:,}"))
    yield _("assessed"), listed(counts)
    yield _("selected"), f"{audit.selected:,} ({percent(audit.selected / audit.n)})"
    yield _("median score"), number(audit.median)


def _record(audit: Audit) -> Iterator[tuple[str, str]]:
    """What Article 12(3) lists of a log, and how people overruled the machine."""
    record, card = audit.record, identity(audit.cutoff)
    start, end = record.get("start"), record.get("end")
    yield (
        _("period of use"),
        f"{start} – {end}"
        if start
        else _("not known: neither a decision log nor a column of times was given"),
    )
    reference = card["card"] or _("the cutoff {cutoff}, without a card").format(
        cutoff=number(audit.cutoff.value)
    )
    yield _("reference"), reference
    yield _("input"), _("{n} rows of {file}").format(n=f"{audit.n:,}", file=audit.data.get("file") or "–")
    people: Mapping[str, int] = record.get("people") or {}
    yield (
        _("people who decided"),
        listed(f"{name} ({n:,})" for name, n in people.items())
        or _("none on record; without a decision log it is not known who checked a result"),
    )
    if record.get("decided"):
        yield (
            _("decisions of people"),
            _("{decided}, of which {overruled} against the machine").format(
                decided=f"{record['decided']:,}", overruled=f"{record['overruled']:,}"
            ),
        )
    if record.get("elsewhere"):
        yield (
            _("decisions at other cutoffs"),
            ngettext(
                "{n} row was decided otherwise than by this card's cutoff, which the rates above are for",
                "{n} rows were decided otherwise than by this card's cutoff, which the rates above are for",
                record["elsewhere"],
            ).format(n=f"{record['elsewhere']:,}"),
        )
    if end:
        yield _("keep until"), _("{date} at least").format(date=_later(str(end), KEPT_MONTHS))


def _later(day: str, months: int) -> str:
    """The day so many months later; the first of the next month where that month is shorter."""
    try:
        then = date.fromisoformat(day[:10])
    except ValueError:
        return "–"
    year, month = divmod(then.year * 12 + then.month - 1 + months, 12)
    try:
        return then.replace(year=year, month=month + 1).isoformat()
    except ValueError:
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1).isoformat()
