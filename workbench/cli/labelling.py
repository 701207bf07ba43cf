"""``workbench pairs``: agreement, what to label next, and exchange with other labelling tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from workbench.cli.options import (
    ColumnNames,
    EncoderSpec,
    Json,
    NegativeWords,
    PairsPath,
    PositiveWords,
    ScorerSpec,
    column_names,
    load_asked,
    read_scored,
)
from workbench.cli.output import answer, encoder_line, note, print_json, print_table, say
from workbench.cli.running import Group
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, percent

if TYPE_CHECKING:
    from workbench.pairs import Agreement

app = typer.Typer(
    help="Labelled pairs: check them, compare people, choose what to label next.",
    no_args_is_help=True,
    cls=Group,
    add_completion=False,
)

Cutoff = Annotated[
    float, typer.Option("--cutoff", "-c", metavar="NUMBER", help="Today's cutoff, or a guess.")
]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by", metavar="COLUMN", help="A group column such as job_family; may be given more than once."
    ),
]


LevelOption = Annotated[
    Literal["pair", "requirement"],
    typer.Option("--level", help="Of whole documents: JDs with résumés, or requirement by requirement."),
]


@app.command()
def check(
    pairs: PairsPath,
    level: LevelOption = "pair",
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    as_json: Json = False,
) -> None:
    """Check PAIRS: every problem with its file, row and column, and how the labels are resolved.

    Exit code 0 if they can be used, 2 if not.
    """
    from workbench.pair_hashes import content_hash
    from workbench.pairs import read_pairs

    read = read_pairs(pairs, columns=column_names(column), positive=positive, negative=negative, level=level)
    facts = {
        "n_pairs": len(read),
        "n_matches": int(read["label"].sum()),
        "n_jds": int(read["jd"].nunique()),
        "content_hash": content_hash(read),
        **{key: read.attrs[key] for key in ("reading", "resolution")},
    }
    n, matches = facts["n_pairs"], facts["n_matches"]
    said = _("{n} pairs can be used: {matches} matches ({share}), {jds} distinct JDs.").format(
        n=f"{n:,}", matches=f"{matches:,}", share=percent(matches / n), jds=f"{facts['n_jds']:,}"
    )
    answer(as_json, facts, said, _("content {hash}").format(hash=facts["content_hash"]))


@app.command()
def agreement(
    pairs: PairsPath,
    by: By = None,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of the intervals.")] = 0.95,
    level: LevelOption = "pair",
    threshold: Annotated[
        int | None,
        typer.Option(metavar="GRADE", help="Compare whether grades reach this one, instead of the grades."),
    ] = None,
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    as_json: Json = False,
) -> None:
    """How far the annotators of PAIRS agree, and what their mistakes do to a measured precision.

    Of whole documents, intervals draw JDs and not pairs; ratings are compared by how much they differ
    (weighted kappa), requirements by whether they do.
    """
    from workbench.pairs import agreement as compare
    from workbench.pairs import disagreements, label_noise, read_annotations, read_pairs

    names = column_names(column)
    annotations = read_annotations(pairs, columns=names, positive=positive, negative=negative, level=level)
    everything = read_pairs(pairs, columns=names, labelled=False, level=level)
    found = compare(
        annotations,
        everything,
        by or (),
        level="nominal" if level == "requirement" else None,
        threshold=threshold,
        together="jd_id" if {"jd_id", "resume_id"} <= set(everything.columns) else None,
        confidence=confidence,
    )
    if threshold is not None:
        annotations = annotations.assign(label=(annotations["label"] >= threshold).astype("int64"))
    is_binary = bool(annotations["label"].le(1).all())
    noise = label_noise(annotations, confidence=confidence) if is_binary else None
    differing = disagreements(annotations)["pair_id"].tolist()
    if as_json:
        print_json(
            {
                **found.to_dict(),
                "disagreements": differing,
                "noise": None if noise is None else noise.to_dict(),
            }
        )
        return
    print_table([_agreement_row(found)])
    for name in by or ():
        groups = sorted(
            (part for part in found.groups if part.column == name), key=lambda part: part.percent.value
        )
        print_table([_agreement_row(part) for part in groups], title=name)
    if noise is not None:
        say(noise.summary())
    if differing:
        shown = listed([*differing[:20], *["…"] * (len(differing) > 20)])
        say(_("They differ on: {pairs}").format(pairs=shown))


@app.command()
def plan(
    pairs: PairsPath,
    cutoff: Cutoff,
    encoder: EncoderSpec = None,
    scorer: ScorerSpec = None,
    half_width: Annotated[
        float, typer.Option(metavar="SHARE", help="How well precision shall be known: 0.02 for ±2 points.")
    ] = 0.02,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of the interval.")] = 0.95,
    target_precision: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Precision that shall be guaranteed, for the chances of it."),
    ] = 0.893,
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    as_json: Json = False,
) -> None:
    """About how many more labels make the precision at the cutoff known well enough.

    And, before they are labelled, how likely a guaranteed cutoff is: by numbers of pairs, and by how many
    labels are wrong.
    """
    from workbench.pairs import chance_of_a_cutoff, chances_table, everyday_scores
    from workbench.pairs import plan as plan_labels
    from workbench.results import plain

    loaded = load_asked(encoder, scorer)
    scored = read_scored(pairs, loaded, column, positive, negative)
    found = plan_labels(scored, cutoff, half_width=half_width, confidence=confidence)
    matches, others = everyday_scores(scored)
    chances = None
    if min(len(matches), len(others)) >= 2:
        share = len(matches) / (len(matches) + len(others))
        chances = chance_of_a_cutoff(
            matches, others, target_precision, confidence=confidence, prevalence=share
        )
    if not as_json:
        note(encoder_line(loaded))
    answer(as_json, {**found.to_dict(), "chances": plain(chances)}, found.summary())
    if chances is not None and not as_json:
        table = chances_table(chances).reset_index()
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False)]
        title = _(
            "Chance that a cutoff with {target} labelled matches above it is found, by wrong labels "
            "(everyday pairs like these, each of a JD of its own)"
        )
        print_table(rows, title=title.format(target=percent(target_precision)))


@app.command()
def propose(
    pool: Annotated[
        Path, typer.Argument(metavar="POOL", help="Unlabelled pairs: a folder with pairs.csv, or one table.")
    ],
    cutoff: Cutoff,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="New set to label, with sampling weights.")
    ],
    n: Annotated[int, typer.Option("-n", metavar="N", help="Pairs to label.")] = 100,
    encoder: EncoderSpec = None,
    scorer: ScorerSpec = None,
    by: By = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            "--labelled",
            metavar="PAIRS",
            help="Pairs of the pool that are labelled already: they are not drawn again, and say where a "
            "match is uncertain.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    column: ColumnNames = None,
    as_json: Json = False,
) -> None:
    """Draw N pairs of POOL that say most about the cutoff, and write them as a set to label.

    Each pair carries the probability with which it was drawn, by which calibration weights it. Scores
    are not written, so that people stay blind.
    """
    from workbench.pairs import propose as draw
    from workbench.pairs import read_pairs, write_pairs
    from workbench.scorers import Scorer

    if out.exists() and any(out.iterdir()):
        raise InputError(
            _("{folder} is there already; choose another folder, so that no labels are lost.").format(
                folder=out
            )
        )
    loaded = load_asked(encoder, scorer)
    if isinstance(loaded, Scorer) and not loaded.is_fitted:
        # Both lots of pairs are scored by what the pool has in common.
        texts = read_pairs(pool, columns=column_names(column), labelled=False)
        loaded = loaded.fit(list(texts["jd"].unique()), list(texts["resume"].unique()))
    unlabelled = read_scored(pool, loaded, column, labelled=False)
    known = None if labelled is None else read_scored(labelled, loaded)
    batch = draw(unlabelled, n, cutoff, groups=by or (), labelled=known, seed=seed)
    write_pairs(out, batch.drop(columns="score"))
    above = int((batch["score"] > cutoff).sum())
    if not as_json:
        note(encoder_line(loaded))
    entry = {"folder": str(out), "n": len(batch), "n_above": above, "n_pool": len(unlabelled)}
    said = _("{n} of {total} pairs written to {folder}; {above} lie above {cutoff}.").format(
        n=f"{len(batch):,}",
        total=f"{len(unlabelled):,}",
        folder=out,
        above=f"{above:,}",
        cutoff=f"{cutoff:g}",
    )
    following = _(
        "Label them in notebooks/05_label_pairs.ipynb ('workbench lab'); its parameter pairs_folder is "
        "{folder}."
    )
    answer(as_json, entry, said, following.format(folder=repr(str(out))))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="What the other tool exported.")],
    tool: Annotated[Literal["label-studio", "argilla"], typer.Option("--from", help="Which tool.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="New set.")],
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    label: Annotated[
        str, typer.Option(metavar="NAME", help="Control or question that holds the label.")
    ] = "label",
    as_json: Json = False,
) -> None:
    """Make a set of what Label Studio (export type JSON) or Argilla wrote."""
    from workbench.pairs import read_argilla, read_label_studio, write_pairs

    if (out / "pairs.csv").exists():
        raise InputError(_("{folder} holds a set already; choose another folder.").format(folder=out))
    read = read_label_studio if tool == "label-studio" else read_argilla
    found = read(file, columns=column_names(column), positive=positive, negative=negative, label=label)
    write_pairs(out, found.pairs, found.annotations)
    n, n_labels, n_skipped = len(found.pairs), len(found.annotations), found.n_skipped
    entry = {"folder": str(out), "n_pairs": n, "n_labels": n_labels, "n_skipped": n_skipped}
    said = [_written(n, n_labels, out)]
    if n_skipped:
        skipped = ngettext(
            "{n} answer was skipped, cancelled or a draft, and left out.",
            "{n} answers were skipped, cancelled or drafts, and left out.",
            n_skipped,
        )
        said.append(skipped.format(n=f"{n_skipped:,}"))
    answer(as_json, entry, *said)


@app.command()
def export(
    pairs: PairsPath,
    target: Annotated[
        Literal["label-studio", "argilla", "table"],
        typer.Option("--to", help="table: for Excel, one label a pair."),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help=".json for the tools; .csv or .xlsx for a table."),
    ],
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    without_labels: Annotated[
        bool, typer.Option("--without-labels", help="Only the pairs, to be labelled there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write PAIRS for Label Studio or Argilla, or as a table in which no text can act as a formula."""
    from workbench.files.exporting import export_frame
    from workbench.pairs import read_annotations, read_pairs, write_argilla, write_label_studio

    names = column_names(column)
    if target == "table":
        read = read_pairs(
            pairs, columns=names, positive=positive, negative=negative, labelled=not without_labels
        )
        written, n_labels = export_frame(read, out), 0 if without_labels else len(read)
    else:
        read = read_pairs(pairs, columns=names, labelled=False)
        said = (
            None
            if without_labels
            else read_annotations(pairs, columns=names, positive=positive, negative=negative)
        )
        write = write_label_studio if target == "label-studio" else write_argilla
        written, n_labels = write(out, read, said), 0 if said is None else len(said)
    entry = {"path": str(written), "n_pairs": len(read), "n_labels": n_labels}
    answer(as_json, entry, _written(len(read), n_labels, written))
    if target == "label-studio" and not as_json:
        note(_("The labelling interface for Label Studio: 'workbench pairs label-studio-interface'."))


@app.command("label-studio-interface")
def label_studio_interface(
    grades: Annotated[bool, typer.Option("--grades", help="Grades from 0 to 3.")] = False,
) -> None:
    """Print the labelling interface to paste into Label Studio."""
    from workbench.pairs import label_studio_config

    typer.echo(label_studio_config(grades=grades), nl=False)


def _written(n_pairs: int, n_labels: int, where: Path) -> str:
    return _("{n} pairs with {labels} labels written to {place}.").format(
        n=f"{n_pairs:,}", labels=f"{n_labels:,}", place=where
    )


def _agreement_row(part: Agreement) -> dict[str, Any]:
    return {
        "": _("all") if part.group is None else part.group,
        _("pairs"): part.n_pairs,
        _("differ"): part.n_disagreements,
        _("agreement"): str(part.percent),
        _("Cohen's kappa"): str(part.kappa),
        _("Krippendorff's alpha"): str(part.alpha),
    }
