"""What the map of skills rests on, and how long it takes to open: ``python benchmarks/map_choices.py``.

On the demonstration texts, what PCA costs, where clusters are best looked for, and which way new texts are
placed best; of 10,000 and 100,000 texts, placing a new one and opening the interactive map in a browser.
``--quick`` takes a tenth of the texts.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from _skill_map_sizes import demonstration
from measuring import save, seconds
from skill_map import LARGE, SMALL, child

from workbench.exploration import find_clusters, fit_map, map_quality
from workbench.exploration.inputs import unit_rows
from workbench.exploration.neighbours import nearest

MOST_SECONDS_TO_PLACE = 0.1
BROWSER = Path(__file__).parents[1] / "tests" / "browser"


def main() -> None:
    figures: dict[str, Any] = {"notes": []}
    what_choices_rest_on(figures)
    placing_and_opening(figures)
    in_the_browser(figures)
    print("\n".join(f"- {note}" for note in figures["notes"]))
    save("map_choices", [], figures=figures)


def placing_and_opening(figures: dict[str, Any]) -> None:
    for n in (SMALL, LARGE):
        placed, opened = child("place", n), child("opening", n)
        figures[f"placing, {n:,}"], figures[f"opening, {n:,}"] = placed, opened
        one = placed["place_1_seconds"]
        verdict = "within" if one < MOST_SECONDS_TO_PLACE else "**more than**"
        made = opened["make_panel"]
        figures["notes"].append(
            f"On a map of {n:,} texts a new one is placed in {seconds(one)} ({verdict} "
            f"{MOST_SECONDS_TO_PLACE:g} s), a hundred in {seconds(placed['place_100_seconds'])}; its panel "
            f"is made in {seconds(made['seconds'])} with {made['memory_mib']:,.0f} MiB more at most, and "
            f"half of it selected in {seconds(opened['lasso_half_seconds'])}."
        )


def in_the_browser(figures: dict[str, Any]) -> None:
    """From running the cell to the first picture, in headless Chromium with WebGL in software."""
    sys.path.insert(0, str(BROWSER))
    from live_notebook import chromium, find_chromium, jupyter_lab

    executable = find_chromium()
    if executable is None:
        figures["notes"].append("No Chromium is here, so opening the map in a browser was not measured.")
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyter_lab(Path(folder)) as lab,
        chromium(executable) as browser,
    ):
        for n in (SMALL, LARGE):
            took = opened_in_browser(browser, lab, n)
            figures[f"first picture, {n:,}"] = took
            figures["notes"].append(
                f"In Chromium with WebGL in software, a map of {n:,} texts is drawn {seconds(took)} after "
                "its cell was run."
            )


def opened_in_browser(browser: Any, lab: Any, n: int) -> float:
    import io

    import nbformat
    from PIL import Image

    name = f"map_{n}.ipynb"
    prepare = f"""
import numpy as np
from workbench.exploration import fit_map
from workbench.panels import MapPanel
random = np.random.default_rng(0)
skill_map = fit_map(random.standard_normal(({n}, 8), dtype=np.float32), method="pca")
texts = [f"做过第 {{row}} 个项目，负责需求、开发和上线" for row in range({n})]
MapPanel(texts[:5], fit_map(np.eye(5), method="pca"))
"""
    cells = [
        nbformat.v4.new_code_cell(prepare),
        nbformat.v4.new_code_cell('MapPanel(texts, skill_map, kinds=["jd", "resume"] * (len(texts) // 2))'),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.root / name)
    page = browser.new_page(viewport={"width": 1280, "height": 1800})
    page.goto(lab.address(name))
    session = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session"
    page.wait_for_function(f"() => {session}?.kernel?.connectionStatus === 'connected'", timeout=60_000)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    page.locator(".wb-map canvas").first.wait_for(timeout=120_000)
    page.wait_for_function(f"() => {session}?.kernel?.status === 'idle'", timeout=60_000)
    start = time.perf_counter()
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    canvas = page.locator(".wb-map").nth(1).locator("canvas").first
    canvas.wait_for(timeout=300_000)
    while time.perf_counter() - start < 300:
        box = canvas.bounding_box()
        middle = {"x": box["x"] + box["width"] / 2 - 60, "y": box["y"] + box["height"] / 2 - 60}
        picture = page.screenshot(clip={**middle, "width": 120, "height": 120})
        # Normal numbers are densest in the middle, so dots are there as soon as any are.
        if np.asarray(Image.open(io.BytesIO(picture)).convert("L")).min() < 200:
            break
        page.wait_for_timeout(100)
    took = time.perf_counter() - start
    page.close()
    return took


def what_choices_rest_on(figures: dict[str, Any]) -> None:
    """PCA before UMAP, the space of clusters, and the placing of texts, on the demonstration set."""
    pairs, texts, vectors = demonstration()
    rows = unit_rows(vectors)
    figures["reduction"] = [
        {
            "components": pca or rows.shape[1],
            **{
                name: value
                for name, value in map_quality(rows, fit_map(rows, ids=texts, pca=pca)).to_dict().items()
                if name in ("trustworthiness", "knn_overlap")
            },
        }
        for pca in (None, 25, 50, 100, 200)
    ]
    figures["clusters"] = clusters_of(pairs, texts, rows)
    figures["placing"] = placed_ways(rows)
    by_components = ", ".join(
        f"{one['components']}: {one['trustworthiness']:.3f} / {one['knn_overlap']:.0%}"
        for one in figures["reduction"]
    )
    figures["notes"].append(
        f"Demonstration texts, trustworthiness / neighbours kept by components before UMAP: {by_components}."
    )
    figures["notes"].append(
        "Clusters of the demonstration texts, adjusted Rand index with the JDs that texts were written for "
        "(share in no cluster): "
        + "; ".join(
            f"{one['space']}: {one['adjusted_rand']:.2f} ({one['noise']:.0%}), {one['n_clusters']} clusters"
            for one in figures["clusters"]
        )
        + ". Vectors moved by 1e-5: "
        + "; ".join(f"{one['space']} {one['agreement_after_noise']:.2f}" for one in figures["clusters"])
        + "."
    )
    figures["notes"].append(
        "True neighbours among the 15 nearest on the map, for texts left out of the fit: "
        + "; ".join(f"{name} {share:.0%}" for name, share in figures["placing"].items())
        + "."
    )


def clusters_of(pairs: Any, texts: list[str], rows: Any) -> list[dict[str, Any]]:
    from sklearn.metrics import adjusted_rand_score

    made = pairs[pairs["source"] != "drawn"]
    jd_of = {**dict(zip(made["resume"], made["jd"], strict=True)), **{jd: jd for jd in pairs["jd"]}}
    truth = [jd_of[text] for text in texts]
    moved = rows + 1e-5 * np.random.default_rng(0).standard_normal(rows.shape).astype(np.float32)
    found = []
    for space, options in {
        "vectors": {"space": "vectors"},
        "UMAP 2": {"n_components": 2},
        "UMAP 5": {"n_components": 5},
        "UMAP 10": {"n_components": 10},
        "spectral 40": {"space": "spectral"},
    }.items():
        first, again = (find_clusters(one, ids=texts, progress=False, **options) for one in (rows, moved))
        found.append(
            {
                "space": space,
                "n_clusters": len(first),
                "noise": first.n_noise / len(rows),
                "adjusted_rand": float(adjusted_rand_score(truth, first.labels)),
                "agreement_after_noise": float(adjusted_rand_score(first.labels, again.labels)),
            }
        )
    return found


def placed_ways(rows: Any) -> dict[str, float]:
    """Share of true neighbours among the nearest on the map, of texts that were not fitted."""
    import umap

    order = np.random.default_rng(0).permutation(len(rows))
    new, old = order[: len(rows) // 5], order[len(rows) // 5 :]
    skill_map = fit_map(rows[old], progress=False)
    similarities, found = nearest(skill_map.anchors, skill_map.reduction.apply(rows[new]), 15)
    weights = np.exp((similarities - similarities[:, :1]) / 0.05)[..., None]
    near = skill_map.anchor_coordinates[found]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = umap.UMAP(metric="cosine", min_dist=0.05, random_state=0, n_jobs=1).fit(rows[old])
        transformed = model.transform(rows[new])
    return {
        "geometric median (taken)": _kept(rows, old, new, skill_map.coordinates, skill_map.place(rows[new])),
        "weighted mean": _kept(
            rows, old, new, skill_map.coordinates, (near * weights).sum(axis=1) / weights.sum(axis=1)
        ),
        "UMAP.transform": _kept(rows, old, new, model.embedding_, transformed),
    }


def _kept(rows: Any, old: Any, new: Any, fitted: Any, placed: Any) -> float:
    true = nearest(rows[old], rows[new], 15)[1]
    distances = np.linalg.norm(placed[:, None] - fitted[None], axis=2)
    on_map = np.argsort(distances, axis=1)[:, :15]
    return float(np.mean([len(set(a) & set(b)) / 15 for a, b in zip(true, on_map, strict=True)]))


if __name__ == "__main__":
    main()
