"""The skill map of 10,000 texts and their near duplicates: ``python benchmarks/skill_map.py``.

Times beside umap-learn as it comes, its transform, and scikit-learn's radius search; peak memory. Vectors of
many texts are mixtures of real ones. ``--large`` also lays out and clusters 100,000 texts (tens of minutes);
``--quick`` takes a tenth of everything. What the map rests on is in ``map_choices.py``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _skill_map_sizes import SCORE
from measuring import QUICK, Measurement, save, seconds, table

SMALL, LARGE = (1_000, 10_000) if QUICK else (10_000, 100_000)
MOST_SECONDS_FOR_DUPLICATES = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--large", action="store_true")
    large = parser.parse_args().large
    rows: list[Measurement] = []
    figures: dict[str, Any] = {"notes": []}
    for n in (SMALL, LARGE) if large else (SMALL,):
        rows += projection(n, figures)
    rows += near_duplicates(SMALL, figures)
    rows += near_duplicates(LARGE, figures)
    print(table(rows))
    print()
    print("\n".join(f"- {note}" for note in figures["notes"]))
    print("written:", save("skill_map", rows, figures=figures).name)


def child(part: str, n: int) -> dict[str, Any]:
    """What a part says of a size, measured in a process of its own."""
    print(f"{part}, {n:,} texts …", file=sys.stderr, flush=True)
    script = Path(__file__).with_name("_skill_map_sizes.py")
    done = subprocess.run(
        [sys.executable, str(script), part, str(n)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{part}, {n:,} texts failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def projection(n: int, figures: dict[str, Any]) -> Iterator[Measurement]:
    ours, peer = child("projection", n), child("peer_projection", n)
    figures[f"projection, {n:,}"] = {"ours": ours, "peer": peer}
    kept = [
        f"{who}: trustworthiness {part['quality']['trustworthiness']:.3f}, neighbours kept "
        f"{part['quality']['knn_overlap']:.0%}"
        for who, part in (("ours", ours), ("peer", peer))
    ]
    yield row("lay out in two dimensions", n, ours["fit_map"], ("umap.UMAP", peer["fit"]), "; ".join(kept))
    for m in (1, 100):
        yield row(
            f"place {m} new text{'s' * (m > 1)}",
            n,
            {"seconds": ours[f"place_{m}_seconds"]},
            ("UMAP.transform", {"seconds": peer[f"transform_{m}_seconds"]}),
            "see the notes",
        )
    found = ours["find_clusters"]
    figures["notes"].append(
        f"Clusters of {n:,} texts: {seconds(found['seconds'])}, {found['memory_mib']:,.0f} MiB more at most; "
        f"{ours['n_clusters']} found, {ours['n_noise'] / n:.0%} in none."
    )


def near_duplicates(n: int, figures: dict[str, Any]) -> Iterator[Measurement]:
    found = child("near_duplicates", n)
    figures[f"near duplicates, {n:,}"] = found
    if found["differing_pairs"]:
        raise SystemExit(f"{found['differing_pairs']} pairs differ from scikit-learn's; times say nothing.")
    took = found["find_near_duplicates"]
    name = "sklearn radius search"
    if found["peer_share"] < 1:
        name += f" (from {found['peer_share']:.0%} of the texts)"
    yield row(
        f"near duplicates above {SCORE}", n, took, (name, {"seconds": found["peer_seconds"]}), "same pairs"
    )
    if n == LARGE:
        verdict = "within" if took["seconds"] < MOST_SECONDS_FOR_DUPLICATES else "**more than**"
        figures["notes"].append(
            f"Near duplicates among {n:,} texts: {seconds(took['seconds'])} ({verdict} a minute), "
            f"{took['memory_mib']:,.0f} MiB more at most; {found['n_pairs']:,} pairs in "
            f"{found['n_groups']:,} groups."
        )


def row(
    task: str, n: int, ours: dict[str, float], peer: tuple[str, dict[str, float]], checked: str
) -> Measurement:
    """Both took turns in processes of their own, once."""
    memory = f", {ours['memory_mib']:,.0f} MiB" if "memory_mib" in ours else ""
    ratio = peer[1]["seconds"] / ours["seconds"]
    measurement = Measurement(
        task=task,
        size=f"{n:,} texts × 512{memory}",
        ours="workbench",
        peer=peer[0],
        ours_seconds=ours["seconds"],
        peer_seconds=peer[1]["seconds"],
        ratio=ratio,
        checked=checked,
        ratios=(ratio,),
    )
    print(measurement, file=sys.stderr, flush=True)
    return measurement


if __name__ == "__main__":
    main()
