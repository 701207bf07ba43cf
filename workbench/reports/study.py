"""A calibration study as one HTML file, in Chinese and English, that prints well.

Figures are inside it, it runs no script, and it asks no other site for anything. Both languages are in
the file; two buttons switch between them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from workbench.atomic import write_whole
from workbench.html import render
from workbench.i18n import N_, number, percent, pgettext
from workbench.i18n import gettext as _
from workbench.reports.page import frame_table, page, table

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Study
    from workbench.calibration.groups import GroupFigures
    from workbench.plots.style import ShownFigure

MOST_ERRORS = 10
MOST_FLIPS = 20
FACTS = {
    "date": N_("date"),
    "encoder": N_("encoder"),
    "fingerprint": N_("fingerprint"),
    "instruction": N_("instruction"),
    "dimension": N_("dimension"),
    "source": N_("pairs from"),
    "content_hash": N_("hash of the pairs"),
    "resolution": N_("labels resolved by"),
    "cleaning": N_("cleaning"),
    "method": N_("method"),
    "targets": N_("targets"),
    "live": N_("live pairs"),
    "versions": N_("versions"),
}


def write_study_report(
    study: Study, path: str | Path, *, groups: Sequence[GroupFigures] = (), texts: bool = True
) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    study : Study
        Of :func:`~workbench.calibration.study.calibrate`.
    path : str or Path
        An .html file. It opens in the language now, and has the other in it too.
    groups : sequence of GroupFigures
        Of :meth:`~workbench.calibration.findings.Study.by_group`, to be shown too.
    texts : bool
        List pairs with their texts. Without, the report holds no personal text.

    Returns
    -------
    Path

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    return write_whole(path, study_html(study, groups=groups, texts=texts))


def study_html(study: Study, *, groups: Sequence[GroupFigures] = (), texts: bool = True) -> str:
    """The report as a string; parameters as of :func:`write_study_report`."""
    return page(_("Cutoff report"), lambda: _body(study, groups, texts=texts))


def figures_table(study: Study, *, styled: bool = True) -> str:
    """Figures at today's cutoff and at the one found, naive and corrected, as HTML.

    `styled` says whether the style sheet comes along; a page needs it once.
    """
    cells = study.table()
    columns = [(str(head), "number" if place else "name") for place, head in enumerate(cells)]
    rows = cells.to_numpy().tolist()
    sure = percent(study.options.confidence, None)
    html = render("reports/figures_table.html", table=table(columns, rows), sure=sure, styled=styled)
    return str(html)


def _body(study: Study, groups: Sequence[GroupFigures], *, texts: bool) -> Markup:
    from workbench.plots import plot_advice, plot_groups, plot_reliability

    model, believed = study.probability, study.reliability
    chances = []
    if model is not None:
        ats = dict.fromkeys(at for at in (study.current_cutoff, *study.advice.ends) if at is not None)
        chances = [model.phrase(at) for at in ats]
    return render(
        "reports/study.html",
        study=study,
        picture=plot_advice(study),
        encoder=_encoder_of(study).get("name"),
        date=str(study.cutoff.evidence.get("date", ""))[:10],
        said=study.sentences(),
        figures_table=Markup(figures_table(study, styled=False)),
        pictures=list(_pictures(study)),
        chances=_("; ").join(chances),
        reliability=believed and plot_reliability(believed),
        groups=[
            {
                "by": found.by,
                "lines": found.summary().split("\n"),
                "figure": plot_groups(found) if found.can_judge else None,
                "table": frame_table(found.table(between="\n")),
            }
            for found in groups
        ],
        pairs=list(_pairs(study)) if texts and {"jd", "resume"} <= set(study.pairs.columns) else [],
        evidence=list(_evidence(study)),
    )


def _pictures(study: Study) -> Iterator[tuple[ShownFigure, ...]]:
    """All figures; the two square ones together."""
    from workbench import plots

    current = study.current_cutoff
    cutoff = study.advice.cutoff
    asked = study.options
    at: dict[str, Any] = {"current_cutoff": current}
    targets: dict[str, Any] = {"target_precision": asked.target_precision}
    missed = asked.target_missed
    yield (
        plots.plot_over_cutoff(
            study.sweep, study.bands, cutoff=cutoff, target_missed=missed, **targets, **at
        ),
    )
    if study.advice.kind == "move":
        yield (plots.plot_stability(study.stability, cutoff, **at),)
    yield (
        plots.plot_precision_recall(study.sweep, study.bands, cutoff=cutoff, **targets, **at),
        plots.plot_roc(study.sweep, cutoff=cutoff, **at),
    )
    yield (plots.plot_cost(study.sweep, cutoff=cutoff, **at),)


def _pairs(study: Study) -> Iterator[tuple[str, list[tuple[str, Markup]]]]:
    """The worst errors on both sides, then the pairs between today's cutoff and the one found."""
    score, label = study.options.score, study.options.label
    at = study.current_cutoff if study.advice.cutoff is None else study.advice.cutoff
    if at is not None:
        ordered = study.pairs.sort_values(score, ascending=False, kind="stable")
        above, match = ordered[score] > at, ordered[label] == 1
        false_matches, missed = ordered[above & ~match], ordered[~above & match][::-1]
        lists = {
            _("No matches, yet above the cutoff; highest scores first"): false_matches,
            _("Matches, yet not above the cutoff; lowest scores first"): missed,
        }
        yield (
            _("The worst errors"),
            [(name, _pairs_table(pairs, MOST_ERRORS, score)) for name, pairs in lists.items()],
        )
    if study.advice.kind == "move" and study.current_cutoff is not None:
        # Those that change for the worse first.
        changed = study.flips.sort_values(["right_now", score], ascending=[True, False], kind="stable")
        labels = changed[label].map({0: _("no match"), 1: _("match")})
        right = changed["right_now"].map({True: _("as labelled"), False: _("not as labelled")})
        more = {_("label"): labels, _("new decision"): right}
        yield _("Pairs whose decision changes"), [("", _pairs_table(changed, MOST_FLIPS, score, more))]


def _pairs_table(
    pairs: pd.DataFrame, most: int, score: str, more: Mapping[str, pd.Series[Any]] | None = None
) -> Markup:
    columns = [
        (_("score"), "number"),
        (pgettext("text", "JD"), "text"),
        (pgettext("text", "résumé text"), "text"),
    ]
    columns += [(name, "short") for name in more or {}]
    cells = [pairs[score].map(number), pairs["jd"].map(str), pairs["resume"].map(str), *(more or {}).values()]
    rows = list(zip(*cells, strict=True))
    return render("reports/pairs.html", columns=columns, rows=rows[:most], left=max(len(rows) - most, 0))


def _evidence(study: Study) -> Iterator[tuple[str, str]]:
    """The facts of the card that the rest of the report does not show."""
    found, encoder = study.cutoff.evidence, _encoder_of(study)
    pairs = found.get("pairs", {})
    facts = {
        **{name: found.get(name) for name in ("date", "cleaning", "method", "targets", "live", "versions")},
        **{name: pairs.get(name) for name in ("source", "content_hash", "resolution")},
        **{name: found.get("encoder", {}).get(name) for name in ("instruction", "dimension")},
        "encoder": encoder.get("name"),
        "fingerprint": encoder.get("fingerprint"),
    }
    for name, called in FACTS.items():
        if facts[name] not in (None, "", {}):
            yield _(called), _told(facts[name])


def _encoder_of(study: Study) -> dict[str, Any]:
    """Name and fingerprint of the encoder, by the card or else by the pairs."""
    own = {"name": study.cutoff.encoder_name, "fingerprint": study.cutoff.fingerprint}
    return {**(study.pairs.attrs.get("encoder") or {}), **{k: v for k, v in own.items() if v}}


def _told(value: Any) -> str:
    """A value as text: what is nested with its names, nothing for what is not known."""
    if isinstance(value, Mapping):
        known = {name: inner for name, inner in value.items() if inner is not None and inner != {}}
        return ", ".join(
            f"{name}: ({_told(inner)})" if isinstance(inner, Mapping) else f"{name}: {_told(inner)}"
            for name, inner in known.items()
        )
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
