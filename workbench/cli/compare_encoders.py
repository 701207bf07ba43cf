"""``workbench compare-encoders``: does a server give the vectors of the model that it says it serves?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import CutoffText, Json
from workbench.cli.output import answer
from workbench.cli.running import ExitCode


def compare_encoders(
    first: Annotated[str, typer.Argument(metavar="SPEC", help="Such as qwen3-4b, whose cutoff is known.")],
    second: Annotated[
        str, typer.Argument(metavar="OTHER", help="Such as http://host/v1#Qwen/Qwen3-Embedding-4B.")
    ],
    pairs: Annotated[
        Path, typer.Option("--pairs", metavar="PAIRS", help="Texts to compare on, in columns jd and resume.")
    ] = Path("labeled_pairs/demo"),
    cutoff: CutoffText = None,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="Pairs at most, the first.")] = 500,
    as_json: Json = False,
) -> None:
    """Compare the vectors that two encoders give of the same texts, and what they decide at a cutoff.

    Exit code 0 if the vectors are the same but for rounding and no decision differs, 1 if not.
    """
    from workbench.cli.search import read_cutoff
    from workbench.encoders import compare_vectors, load_encoder
    from workbench.pairs import read_pairs
    from workbench.retrieval.hits import resolve_cutoff

    texts = read_pairs(pairs, labelled=False).head(most)
    # Nothing from the store: two encoders that say they are the same would share its vectors.
    known, asked = load_encoder(first, store=False), load_encoder(second, store=False)
    judged = resolve_cutoff(read_cutoff(cutoff), known)
    found = compare_vectors(known, asked, texts["jd"].tolist(), texts["resume"].tolist(), cutoff=judged)
    answer(as_json, {**found.to_dict(), "kind": found.kind, "is_same": found.is_same}, *found.sentences())
    if not found.is_same:
        raise typer.Exit(ExitCode.NO)
