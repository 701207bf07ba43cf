"""The skill map: vectors laid out in two dimensions, once, so that new texts can be placed on it later.

UMAP itself is in :mod:`~workbench.exploration.layouts`; how far a map can be trusted, in
:mod:`~workbench.exploration.quality`; how it is drawn, in :mod:`workbench.plots.skill_map`. The file of a map
is a .npz of plain arrays, with the rest as JSON text in one of them: no pickle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from workbench.atomic import replacing
from workbench.errors import InputError
from workbench.exploration.inputs import (
    Fingerprint,
    FloatArray,
    Ids,
    Vectors,
    check_choice,
    check_same_encoder,
    distinct,
    one_fingerprint,
    unit_rows,
)
from workbench.exploration.layouts import (
    Backend,
    Reduction,
    check_distinct,
    check_neighbours,
    reduce,
    umap_layout,
)
from workbench.exploration.neighbours import nearest
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.results import Result

Method = Literal["umap", "pca"]
Coordinates = npt.NDArray[np.float32]

# How fast the say of a neighbour falls with its similarity, when a new text is placed.
FALL = 0.05
# Above this, a text is one that was fitted: encoders move a vector by 1e-5 to 1e-4 between batches, which
# moves its cosine similarity to itself by less than 1e-7.
SAME = 1 - 1e-6
SCHEMA = "jd-resume-workbench/skill-map"
SCHEMA_VERSION = 1
REQUIRED = ("coordinates", "mean", "anchors", "anchor_coordinates")


@dataclass(frozen=True, eq=False)
class SkillMap(Result):
    """A fitted map.

    Attributes
    ----------
    coordinates : ndarray of float32, shape (n, 2)
        Where each text lies, in the order that vectors were given in; no unit. Distances between
        faraway points mean little: see :func:`~workbench.exploration.map_quality`.
    ids : tuple or None
        As given to :func:`fit_map`.
    method : {"umap", "pca"}
    settings : dict
        Parameters of the fit: ``n_neighbors``, ``min_dist``, ``seed``, ``pca`` and versions.
    fingerprint : str or None
        Of the encoder.
    reduction : Reduction
    anchors : ndarray of float32, shape (m, k)
        Reduced unit vectors of the distinct texts, by which new ones find their place.
    anchor_coordinates : ndarray of float32, shape (m, 2)
    """

    coordinates: Coordinates
    ids: tuple[str | int, ...] | None
    method: Method
    settings: dict[str, Any]
    fingerprint: str | None
    reduction: Reduction
    anchors: Vectors
    anchor_coordinates: Coordinates

    def __len__(self) -> int:
        return len(self.coordinates)

    @property
    def dimension(self) -> int:
        """Dimension of the vectors that the map was made of."""
        return len(self.reduction.mean)

    def place(self, vectors: npt.ArrayLike, *, fingerprint: str | None = None) -> Coordinates:
        """Where new texts fall on this map.

        On a UMAP map a text stands at the geometric median of its nearest fitted texts (as many as
        ``n_neighbors``), each weighted by ``exp((similarity - best) / 0.05)``; one that was fitted
        stands where it stood. On a PCA map it is projected.

        ``umap.UMAP.transform`` does it another way, which was not taken: where a text lands there
        depends on which others are placed with it, and its first call compiles for up to a minute.
        Measured on texts left out of the fit (``benchmarks/map_choices.py``), the geometric median keeps
        as many of a text's true neighbours near it; a plain weighted mean keeps fewer, for it puts
        a text that has neighbours in two groups into the void between them.

        A text that is like none of the others is placed all the same: look at its scores too.

        Parameters
        ----------
        vectors : array_like, shape (m, d)
            From the same encoder.
        fingerprint : str, optional
            Of the encoder of `vectors`; checked against the map's.

        Returns
        -------
        ndarray of float32, shape (m, 2)
            One row for each text; no row depends on the others.

        Raises
        ------
        InputError
            If a vector is not finite or has no length.
        EncoderMismatchError
            If the vectors come from another encoder.
        """
        rows = unit_rows(vectors)
        check_same_encoder(self.fingerprint, self.dimension, fingerprint, rows)
        if self.method == "pca":
            return self.reduction.project(rows)[:, :2]
        k = min(self.settings["n_neighbors"], len(self.anchors))
        similarities, found = nearest(self.anchors, self.reduction.apply(rows), k)
        places = self.anchor_coordinates[found].astype(np.float64)
        weights = np.exp((similarities - similarities[:, :1]) / FALL)
        placed = _geometric_median(places, weights)
        known = similarities[:, 0] > SAME
        placed[known] = places[known, 0]
        return placed.astype(np.float32)

    def save(self, path: str | Path) -> Path:
        """Write the map to one .npz file of plain arrays and JSON text; the file is whole or not there."""
        path = Path(path).expanduser()
        if path.suffix != ".npz":
            raise InputError(
                _("{file} must end in .npz, which is the format of a map.").format(file=path.name)
            )
        notes = {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "ids": None if self.ids is None else list(self.ids),
            "method": self.method,
            "settings": self.settings,
            "fingerprint": self.fingerprint,
            "explained": self.reduction.explained,
        }
        arrays = {
            "notes": np.frombuffer(json.dumps(notes, ensure_ascii=False).encode(), dtype=np.uint8),
            "coordinates": self.coordinates,
            "mean": self.reduction.mean,
            "components": self.reduction.components,
            "anchors": self.anchors,
            "anchor_coordinates": self.anchor_coordinates,
        }
        there = {name: array for name, array in arrays.items() if array is not None}
        with replacing(path) as draft, draft.open("wb") as file:
            np.savez(file, **there)  # type: ignore[arg-type]
        return path

    @classmethod
    def load(cls, path: str | Path) -> SkillMap:
        """Read a map; nothing in the file is executed. An InputError where it is no map, or is damaged."""
        arrays, notes = _read(Path(path).expanduser())
        return cls(
            arrays["coordinates"],
            None if notes["ids"] is None else tuple(notes["ids"]),
            notes["method"],
            notes["settings"],
            notes["fingerprint"],
            Reduction(arrays["mean"], arrays.get("components"), notes["explained"]),
            arrays["anchors"],
            arrays["anchor_coordinates"],
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without coordinates."""
        return {
            "n": len(self),
            "n_distinct": len(self.anchors),
            "dimension": self.dimension,
            "method": self.method,
            "fingerprint": self.fingerprint,
            **self.settings,
        }

    def __repr__(self) -> str:
        said = _("{n:,} texts, {method}, seed {seed}")
        if self.method == "umap":
            said = _("{n:,} texts, {method} (n_neighbors={n_neighbors}, min_dist={min_dist}), seed {seed}")
        return f"<SkillMap: {said.format(n=len(self), method=self.method, **self.settings)}>"


def fit_map(
    vectors: npt.ArrayLike,
    *,
    ids: Ids | None = None,
    method: Method = "umap",
    n_neighbors: int = 15,
    min_dist: float = 0.05,
    seed: int = 0,
    pca: int | Literal["auto"] | None = "auto",
    fingerprint: Fingerprint = None,
    backend: Backend = "auto",
    progress: bool | None = None,
) -> SkillMap:
    """Lay texts out in two dimensions, so that texts of near meaning lie near each other.

    Equal vectors share one place. The same vectors and seed give the same map on one machine, in
    whatever order they come. Vectors that were encoded anew and differ by rounding give another
    picture with as many true neighbours in it, for UMAP magnifies the smallest difference: keep the map
    (:meth:`SkillMap.save`) and place new texts on it.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
        One row a text, all of one encoder; their length does not matter.
    ids : sequence of str or int, optional
        One for each text, distinct. Texts are laid out in the order of their ids; without ids the
        vectors' content decides.
    method : {"umap", "pca"}
        "pca" takes the two directions of most variance: at once, without compiling anything, but near
        texts are kept together far less well.
    n_neighbors : int
        Fewer show small groups, more show the whole (UMAP).
    min_dist : float
        How tightly points may lie, from 0 to 1 (UMAP).
    seed : int
    pca : int, "auto" or None
        Components kept before UMAP; see :func:`~workbench.exploration.layouts.reduce`.
    fingerprint : str or sequence of str, optional
        Of the encoder; one for each row where vectors were gathered from several places.
    backend : {"auto", "cpu", "gpu"}
        "auto" uses ``cuml`` on a GPU where it is there.
    progress : bool, optional
        Show a progress bar; by default on terminals and in notebooks.

    Returns
    -------
    SkillMap

    Raises
    ------
    InputError
        If vectors cannot be used (not finite, all identical, too few for `n_neighbors`), or a
        parameter is out of range.
    EncoderMismatchError
        If vectors come from more than one encoder.
    MissingDependencyError
        If umap-learn is not installed.

    Examples
    --------
    >>> vectors = np.random.default_rng(0).standard_normal((50, 8))
    >>> skill_map = fit_map(vectors, method="pca")
    >>> skill_map
    <SkillMap: 50 texts, pca, seed 0>
    >>> bool(np.allclose(skill_map.place(vectors[:3]), skill_map.coordinates[:3], atol=1e-5))
    True
    """
    rows = unit_rows(vectors)
    known = one_fingerprint(fingerprint, len(rows))
    found = distinct(rows, ids)
    anchors = rows[found.rows]
    check_choice("method", method, ("umap", "pca"))
    if method == "pca":
        check_distinct(len(anchors))
        reduction = reduce(anchors, min(2, anchors.shape[1]), seed)
        reduced = reduction.project(anchors)
        places = np.pad(reduced, ((0, 0), (0, 2 - reduced.shape[1])))
        settings: dict[str, Any] = {"seed": seed}
        anchors = reduced
    else:
        check_neighbours(n_neighbors, len(anchors))
        reduction = reduce(anchors, pca, seed)
        anchors = reduction.apply(anchors)
        places = umap_layout(
            anchors, n_neighbors=n_neighbors, min_dist=min_dist, seed=seed, backend=backend, progress=progress
        )
        components = None if reduction.components is None else len(reduction.components)
        settings = {"n_neighbors": n_neighbors, "min_dist": min_dist, "seed": seed, "pca": components}
    return SkillMap(
        places[found.inverse],
        None if ids is None else tuple(np.asarray(ids).tolist()),
        method,
        settings,
        known,
        reduction,
        anchors,
        places,
    )


def _read(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Arrays and notes of the file of a map, which is looked at before anything is believed."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        notes = json.loads(arrays.pop("notes").tobytes())
    except FileNotFoundError:
        raise InputError(
            _("There is no map at {file}; fit one with fit_map() and save it there.").format(file=path)
        ) from None
    except (
        *(OSError, RuntimeError, ValueError, KeyError, EOFError, TypeError, AttributeError),
        BadZipFile,
    ) as error:
        raise InputError(
            _("{file} is no skill map, or is damaged ({reason}); fit the map again.").format(
                file=path, reason=error
            )
        ) from error
    if not isinstance(notes, dict) or notes.get("schema") != SCHEMA:
        raise InputError(
            _("{file} is not a skill map (its 'schema' should be {schema!r}).").format(
                file=path, schema=SCHEMA
            )
        )
    if notes.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            _(
                "{file} has map version {found!r}, this workbench reads version {known}; fit the map again, "
                "or install the workbench that wrote it."
            ).format(file=path, found=notes.get("schema_version"), known=SCHEMA_VERSION)
        )
    if missing := [name for name in REQUIRED if name not in arrays]:
        raise InputError(
            _("{file} lacks a part of a map: {parts}; fit the map again.").format(
                file=path, parts=listed(missing)
            )
        )
    return arrays, notes


def _geometric_median(places: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted geometric medians, shape (m, 2), of `places`, shape (m, k, 2).

    By Weiszfeld's iteration (Weiszfeld 1937), with a small number against division by zero where the
    median comes to lie on one of the places.
    """
    median: FloatArray = (places * weights[..., None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    for _step in range(100):
        pull = weights / np.maximum(np.linalg.norm(places - median[:, None], axis=2), 1e-6)
        moved = (places * pull[..., None]).sum(axis=1) / pull.sum(axis=1, keepdims=True)
        done = np.abs(moved - median).max(initial=0) < 1e-5
        median = moved
        if done:
            break
    return median
