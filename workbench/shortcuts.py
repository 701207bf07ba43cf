"""The short way: acts on texts and pairs that load the encoder themselves.

What they do is in :mod:`workbench.exploration` and :mod:`workbench.calibration`, which load none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from workbench.cutoffs import Cutoff
from workbench.encoders import load_encoder, milliseconds_a_text
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.texts import tidy

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import CheckResult, Comparison
    from workbench.calibration.pair_kinds import PairKind
    from workbench.documents.document import Document
    from workbench.encoders import Encoder
    from workbench.exploration import Explanation, SkillMap
    from workbench.retrieval.ranking import Ranking
    from workbench.scorers import Coverage, Scorer

NEIGHBOURS = 15
# What is longer, or has more lines, is a whole document.
LONGEST_LINE, MOST_LINES = 600, 3


def explain(
    resume: str | Document,
    jd: str | Document,
    encoder: Encoder | str | None = None,
    *,
    progress: bool | None = None,
) -> Explanation | Coverage:
    """Where a score comes from: of lines their phrases, of whole documents what covers each requirement.

    Parameters
    ----------
    resume, jd : str or Document
        A text of more than three lines, or more than 600 characters, is a whole document. Lines are encoded
        as search does: cleaned, the JD as a document, the résumé text as a query.
    encoder : Encoder or str, optional
        An encoder, or the spec of one (see :func:`load_encoder`); by default the one in the settings.
    progress : bool, optional
        Show a progress bar; by default for long tasks.

    Returns
    -------
    Explanation or Coverage
        Phrases that lift or lower the score, with their effects; or, if one of them is a whole document, for
        each requirement the nearest phrase of the résumé. To be displayed as it is.

    Raises
    ------
    InputError
        If a text is blank, or both are a single phrase.

    Examples
    --------
    >>> found = explain("ward nurse for three years, plays the violin", "nurse on a surgical ward", "use")
    >>> found.strongest("resume", 1)[0].text
    'ward nurse'
    """
    from workbench.documents.document import Document
    from workbench.exploration import explain as by_leaving_out
    from workbench.scorers import cover, levels_of

    loaded = load_encoder(encoder)
    if isinstance(resume, str) and isinstance(jd, str) and not (_is_whole(resume) or _is_whole(jd)):
        return by_leaving_out(jd, resume, loaded, progress=progress)
    asked = Document("JD", jd, side="jd") if isinstance(jd, str) else jd
    told = Document("résumé", resume, side="resume") if isinstance(resume, str) else resume
    levels = levels_of(loaded.fingerprint)
    return cover(loaded, [asked], [told], [(0, 0)], levels=levels, progress=progress)[0]


def _is_whole(text: str) -> bool:
    return len(text) > LONGEST_LINE or len(text.strip().splitlines()) > MOST_LINES


@overload
def fit_map(
    data: npt.NDArray[Any], encoder: None = None, *, text: None = None, **options: Any
) -> SkillMap: ...
@overload
def fit_map(
    data: pd.DataFrame | Sequence[str],
    encoder: Encoder | str | None = None,
    *,
    text: str | None = None,
    **options: Any,
) -> pd.DataFrame: ...
def fit_map(
    data: npt.NDArray[Any] | pd.DataFrame | Sequence[str],
    encoder: Encoder | str | None = None,
    *,
    text: str | None = None,
    **options: Any,
) -> SkillMap | pd.DataFrame:
    """Lay texts out in two dimensions, so that texts of near meaning lie near each other.

    Parameters
    ----------
    data : DataFrame, sequence of str, or ndarray of shape (n, d)
        Texts, which are encoded as documents; or vectors.
    encoder : Encoder or str, optional
        For texts; an encoder, or the spec of one; by default that of the settings.
    text : str, optional
        The frame's column of texts; by default ``"text"``, or the only one that holds strings.
    **options
        As of :func:`workbench.exploration.fit_map`, such as `n_neighbors` and `seed`.

    Returns
    -------
    SkillMap or DataFrame
        For vectors the map. For texts the frame (a new one, where texts were given) with columns ``x`` and
        ``y``; ``neighbors``, the index labels of the texts nearest in meaning, best first; and ``group``,
        the name of its cluster, missing for texts in none. Its ``attrs["skill_map"]`` is the map, on which
        new texts find their place.

    Raises
    ------
    InputError
        If it is not clear which column holds the texts, a text is blank, or there are too few.

    Examples
    --------
    >>> jds = ["ward nurse", "ICU nurse", "Java developer", "backend engineer", "primary school teacher"]
    >>> fit_map(jds, "use", method="pca").columns.tolist()
    ['text', 'x', 'y', 'neighbors', 'group']
    """
    import pandas as pd

    from workbench import exploration
    from workbench.exploration.neighbours import nearest_others

    if isinstance(data, np.ndarray):
        return exploration.fit_map(data, **options)
    frame = data.copy() if isinstance(data, pd.DataFrame) else pd.DataFrame({"text": list(data)})
    texts = [tidy(str(value)) for value in frame[_text_column(frame, text)]]
    if "" in texts:
        raise InputError(
            _("The text at {place} is blank; leave it out.").format(place=repr(frame.index[texts.index("")]))
        )
    loaded = load_encoder(encoder)
    progress = options.get("progress")
    vectors = loaded.encode_documents(texts, progress=progress)
    found = exploration.fit_map(vectors, fingerprint=loaded.fingerprint, **options)
    space: Any = "umap" if found.method == "umap" else "vectors"
    shared = {
        name: options[name] for name in ("n_neighbors", "seed", "backend", "progress") if name in options
    }
    clusters = exploration.find_clusters(vectors, texts, space=space, **shared)
    k = min(found.settings.get("n_neighbors", NEIGHBOURS), len(texts) - 1)
    _similarities, rows = nearest_others(vectors, k + 1)
    frame["x"], frame["y"] = found.coordinates.T
    frame["neighbors"] = [frame.index[own].tolist() for own in rows[:, 1:]]
    frame["group"] = [None if label < 0 else clusters.names[label] for label in clusters.labels]
    frame.attrs["skill_map"] = found
    return frame


def compare(
    pairs: pd.DataFrame | str | Path,
    encoders: Sequence[Encoder | Scorer | str],
    *,
    kind: PairKind = "everyday",
    timing: bool = True,
    progress: bool | None = None,
    **options: Any,
) -> Comparison:
    """Compare encoders or scorers on labelled pairs, each at its own cutoff, with intervals of differences.

    Parameters
    ----------
    pairs : DataFrame or path
        As :func:`read_pairs` gives them, or what it reads.
    encoders : sequence of Encoder, Scorer or str
        Encoders or scorers, or specs of them (as of :func:`load_scorer`); the first is the one that the
        others are compared with.
    kind : {"everyday", "hard", "all"}
        Which pairs, where a column ``source`` says that some were composed to be hard.
    timing : bool
        Measure what a text costs an encoder, without the embedding store.
    progress : bool, optional
        Show progress bars; by default for long tasks.
    **options
        As of :func:`compare_scored`, such as `target_precision` and `prevalence`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If an encoder is given twice, or the pairs cannot be used.
    """
    from workbench.calibration import compare_scored
    from workbench.pairs import score_pairs
    from workbench.scorers import Scorer, encoder_or_scorer, load_scorer

    labelled = _read(pairs)
    scored, milliseconds = {}, {}
    for each in encoders:
        scorer = encoder_or_scorer(load_scorer(each))
        if scorer.name in scored:
            raise InputError(
                _("{name} was given twice; nothing is learnt from comparing it with itself.").format(
                    name=scorer.name
                )
            )
        if timing and not isinstance(scorer, Scorer):
            milliseconds[scorer.name] = milliseconds_a_text(
                scorer, labelled["jd"].tolist(), labelled["resume"].tolist()
            )
        scored[scorer.name] = score_pairs(labelled, scorer, progress=progress)
    return compare_scored(scored, kind=kind, milliseconds=milliseconds or None, **options)


def check(
    card: Cutoff | str | Path,
    pairs: pd.DataFrame | str | Path,
    scorer: Encoder | Scorer | str | None = None,
    *,
    progress: bool | None = None,
    **options: Any,
) -> CheckResult:
    """Hold newer pairs against a cutoff card: does it still keep what it promises?

    Parameters
    ----------
    card : Cutoff or path
        Of :meth:`Study.save <workbench.calibration.Study.save>`.
    pairs : DataFrame or path
        Newer labelled pairs, as :func:`read_pairs` gives them, or what it reads; with a column ``score``,
        they are not scored again.
    scorer : Encoder, Scorer or str, optional
        The card's encoder or scorer, or its spec; by default what the card names, with what it had frozen.
    progress : bool, optional
        Show a progress bar; by default for long tasks.
    **options
        As of :func:`workbench.calibration.check`.

    Returns
    -------
    CheckResult

    Raises
    ------
    EncoderMismatchError
        If the card was made with another one.
    InputError
        If the pairs cannot be used, or the card promises nothing.
    """
    from workbench.calibration import check as hold_against
    from workbench.pairs import score_pairs
    from workbench.scorers import encoder_or_scorer, scorer_of

    promised = card if isinstance(card, Cutoff) else Cutoff.load(card)
    newer = _read(pairs)
    if "score" not in newer.columns:
        # Refuses another one before hours of encoding, not after.
        loaded = encoder_or_scorer(scorer_of(promised, scorer))
        newer = score_pairs(newer, loaded, progress=progress)
    return hold_against(promised, newer, **options)


def _text_column(frame: pd.DataFrame, wanted: str | None) -> str:
    from pandas.api.types import is_string_dtype

    strings = [str(name) for name in frame.columns if is_string_dtype(frame[name])]
    known = [wanted] if wanted is not None else ["text"] if "text" in frame else strings
    if len(known) == 1 and known[0] in frame:
        return known[0]
    raise InputError(
        _("Name the column of texts (text=…); this table's columns are: {columns}.").format(
            columns=listed(map(repr, frame.columns))
        )
    )


def _read(pairs: pd.DataFrame | str | Path) -> pd.DataFrame:
    from workbench.pairs import read_pairs

    return read_pairs(pairs) if isinstance(pairs, str | Path) else pairs


def rank(
    jds: Any,
    resumes: Any,
    *,
    scorer: Scorer | Encoder | str | None = None,
    cutoff: Cutoff | str | Path | None = None,
    top: int = 10,
    conditions: Sequence[str] = (),
    progress: bool | None = None,
) -> Ranking:
    """Rank résumés for each JD: a shortlist with its evidence, from whole documents.

    Parameters
    ----------
    jds, resumes : path, DataFrame, text, or list of texts, paths or documents
        A folder, a zip, a file, a table (a row is a document), an e-mail; or texts. See
        :func:`read_documents`.
    scorer : Scorer, Encoder or str, optional
        As of :func:`load_scorer`; by default the card's, or relative to the collection, with the encoder of
        the settings.
    cutoff : Cutoff or path, optional
        A card, with what its scorer had frozen; without one, none is drawn.
    top : int
        Candidates on each shortlist.
    conditions : sequence of str
        Must-haves, shown beside the score and never filtering: ``"years >= 5"``, ``"degree >= bachelor"``,
        ``"language = German"``, ``"city = Bern | Basel"``, ``"has: RN licence"``.
    progress : bool, optional
        Show a progress bar; by default for long tasks.

    Returns
    -------
    Ranking
        ``to_frame()``, ``to_excel(path)``, ``coverage(jd_id, resume_id)``; what could not be read is in
        ``jds.unread`` and ``resumes.unread``.

    Raises
    ------
    InputError
        If there is no JD or no résumé, or a condition is none.
    EncoderMismatchError
        If the cutoff belongs to another scorer.

    Examples
    --------
    >>> ranking = rank(["Night nurse"], ["Java developer", "Ward nurse, at night too"], scorer="use")
    >>> ranking.to_frame()["resume_id"].tolist()
    ['2', '1']
    """
    from workbench.retrieval.ranking import rank as ranked
    from workbench.scorers import levels_of, load_scorer, scorer_of

    card = Cutoff.load(cutoff) if isinstance(cutoff, str | Path) else cutoff
    loaded = load_scorer(scorer) if card is None else scorer_of(card, scorer)
    return ranked(
        jds,
        resumes,
        scorer=loaded,
        encoder=loaded.encoder,
        cutoff=card,
        top=top,
        conditions=conditions,
        levels=levels_of(loaded.encoder.fingerprint),
        progress=progress,
    )
