"""``workbench encode``: the vectors of a whole Parquet file, by many workers, here or on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from workbench.cli.options import EncoderSpec, Json, TextColumn
from workbench.cli.output import answer


def encode(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A Parquet file with a column of texts.")],
    folder: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="Folder for the same rows with their vectors.")
    ],
    encoder: EncoderSpec = None,
    text_column: TextColumn = None,
    role: Annotated[
        Literal["document", "query"],
        typer.Option("--as", help="Which side of a match the texts are; queries may carry an instruction."),
    ] = "document",
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Processes with a model each; more than 1 need Ray.")
    ] = 1,
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Of a Ray cluster; its machines must see INPUT and OUTPUT."),
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="N", help="GPUs of a worker.", show_default="1 where the encoder uses one"
        ),
    ] = None,
    rows: Annotated[
        int, typer.Option(min=1, metavar="N", help="Most rows of a file, and in a worker's memory.")
    ] = 4096,
    as_json: Json = False,
) -> None:
    """Encode the texts of INPUT into OUTPUT, files with the same rows and a column 'vector'.

    After an interruption give the command again: what is written is not encoded again.
    'workbench kb add' takes OUTPUT with its vectors.
    """
    from workbench.encoders.bulk import encode_parquet

    report = encode_parquet(
        source,
        folder,
        encoder,
        text_column=text_column,
        role=role,
        workers=workers,
        address=address,
        gpus=gpus,
        rows=rows,
    )
    answer(as_json, report.to_dict(), *report.lines())
