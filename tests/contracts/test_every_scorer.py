"""What every scorer promises. A new scorer is one line in ``CASES``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import EncoderMismatchError, InputError
from workbench.frozen import arrays_in, as_text
from workbench.scorers import OffsetScorer, RerankScorer, Scorer, load_reranker, load_scorer, scorer_of
from workbench.scorers.rerank_store import RerankStore

TOPICS = ["night nurse on a ward", "java developer", "护士执业证", "welding of steel pipes"]
JDS = [f"{topic}, job number {number}" for number in range(3) for topic in TOPICS]
RESUMES = [f"{topic}, person number {number}" for number in range(4) for topic in TOPICS]
TOP = 3


def loaded(spec, top=TOP, fit=True):
    """The scorer, fitted to the texts, reading the first few."""
    scorer = load_scorer(spec)
    if isinstance(scorer, RerankScorer):
        scorer = RerankScorer(scorer.first, scorer.reranker, top)
    if isinstance(scorer, OffsetScorer) and fit:
        scorer = OffsetScorer(scorer.first, {"across": -0.2, "zh-zh": 0.05})
    return scorer.fit(JDS, RESUMES) if fit else scorer


def again(scorer, **options):
    """The same with its reranker loaded otherwise."""
    reranker = scorer.reranker
    source = f"{reranker._endpoint.url}#toy" if hasattr(reranker, "_endpoint") else reranker._folder
    return RerankScorer(scorer.first, load_reranker(source, **options), scorer.top)


@dataclass(frozen=True)
class Case:
    """A spec, in which ``{fixture}`` stands for what a fixture gives, and its like with other scores."""

    spec: str
    changed: Callable[[str, Scorer], Scorer]


RERANKED = "keyword+rerank:{%s}"
CASES = {
    "cosine": Case("keyword", lambda spec, _: load_scorer(spec, dimension=1024)),
    "relative": Case("keyword+relative", lambda spec, _: load_scorer(spec).fit(JDS[1:], RESUMES)),
    "offsets": Case(
        "keyword+relative+offsets", lambda _, scorer: OffsetScorer(scorer.first, {"across": 0.1})
    ),
    "server": Case(RERANKED % "rerank_server", lambda _, scorer: again(scorer, logits=True)),
    "cross-encoder": Case(
        RERANKED % "cross_encoder_checkpoint", lambda _, scorer: again(scorer, max_length=16)
    ),
    "qwen3": Case(
        RERANKED % "qwen3_reranker_checkpoint", lambda _, scorer: again(scorer, instruction="Is it long?")
    ),
    "relative-server": Case("keyword+relative+rerank:{rerank_server}", lambda spec, _: loaded(spec, top=4)),
}
NEEDS_TORCH = {"qwen3", "cross-encoder"}


def named(kind):
    """The cases whose spec has this in it."""
    return [
        pytest.param(case, id=name, marks=[pytest.mark.models] * (name in NEEDS_TORCH))
        for name, case in CASES.items()
        if kind in case.spec
    ]


@pytest.fixture(scope="module", params=named(""))
def case(request):
    """A case whose spec is complete."""
    spec = re.sub(r"\{(\w+)\}", lambda match: str(request.getfixturevalue(match[1])), request.param.spec)
    return Case(spec, request.param.changed)


@pytest.fixture(scope="module")
def scorer(case):
    return loaded(case.spec)


@pytest.fixture(scope="module")
def scores(scorer):
    return scorer.score(JDS, RESUMES)


def test_a_score_for_every_pair_under_a_name_and_a_fingerprint(scorer, scores):
    assert scores.matrix.shape == (len(JDS), len(RESUMES))
    assert scores.matrix.dtype == np.float64
    assert np.isfinite(scores.matrix).all()
    assert (scores.scorer, scores.fingerprint) == (scorer.name, scorer.fingerprint)
    assert scores.how.endswith(".")
    assert len(np.unique(scores.matrix.round(6))) > 5


def test_stages_have_the_shape_of_the_scores(scores):
    assert all(stage.shape == scores.matrix.shape for stage in scores.stages.values())


def test_order_does_not_matter(scorer, scores):
    rows, columns = np.random.default_rng(1).permutation(len(JDS)), np.arange(len(RESUMES))[::-1]
    again = scorer.score([JDS[at] for at in rows], [RESUMES[at] for at in columns])
    assert again.matrix == pytest.approx(scores.matrix[np.ix_(rows, columns)], abs=1e-5)


def test_fitted_scores_do_not_depend_on_other_jds(scorer, scores):
    assert scorer.is_fitted
    assert scorer.score(JDS[2:4], RESUMES).matrix == pytest.approx(scores.matrix[2:4], abs=1e-5)


def test_pairs_have_the_scores_of_the_matrix(scorer, scores):
    rows, columns = np.divmod(np.arange(scores.matrix.size), len(RESUMES))
    assert scorer.score_pairs(JDS, RESUMES, rows, columns) == pytest.approx(scores.matrix.ravel(), abs=1e-5)


@pytest.mark.parametrize(("jds", "resumes"), [([], ["a"]), (["a"], []), ("a", ["b"]), (["a"], [" "])])
def test_empty_sides_and_blank_texts_are_refused(scorer, jds, resumes):
    nothing = np.zeros(1, dtype=np.intp)
    with pytest.raises(InputError, match=r"(jds|resumes): "):
        scorer.score(jds, resumes)
    with pytest.raises(InputError, match=r"(jds|resumes): "):
        scorer.score_pairs(jds, resumes, nothing, nothing)


@pytest.mark.slow
def test_another_process_finds_the_same_fingerprint(case, scorer):
    code = "import sys; from test_every_scorer import loaded; print(loaded(sys.argv[1]).fingerprint)"
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    found = subprocess.run(
        [sys.executable, "-c", code, case.spec],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == scorer.fingerprint


def test_what_changes_a_score_changes_the_fingerprint(case, scorer, scores):
    other = case.changed(case.spec, scorer).score(JDS, RESUMES)
    assert other.fingerprint != scores.fingerprint
    assert np.abs(other.matrix - scores.matrix).max() > 1e-4
    assert loaded(case.spec).fingerprint == scorer.fingerprint


def test_what_is_frozen_is_plain_and_gives_the_same_scorer_again(case, scorer, scores):
    state = scorer.state()
    assert all(array.dtype.kind in "fiuUb" for array in state.values())
    text = as_text(state)
    again = loaded(case.spec, fit=False)
    assert again.is_fitted == (not state)
    again = again.with_state(arrays_in(text))
    assert again.fingerprint == scorer.fingerprint
    assert again.score(JDS, RESUMES).matrix == pytest.approx(scores.matrix, abs=1e-6)
    assert as_text(again.state()) == text
    assert load_scorer(case.spec, state=state).is_fitted


def test_a_card_finds_its_scorer_with_what_was_frozen(case, scorer, tmp_path):
    frame = pd.DataFrame([(jd, resume) for jd in JDS for resume in RESUMES], columns=["jd", "resume"])
    noted = wb.score_pairs(frame, scorer).attrs["encoder"]
    path = wb.Cutoff(0.1, noted["name"], noted["fingerprint"], frozen=noted.get("frozen", "")).save(
        tmp_path / "c.json"
    )
    found = scorer_of(wb.Cutoff.load(path), loaded(case.spec, fit=False))
    assert found.fingerprint == scorer.fingerprint
    other = case.changed(case.spec, scorer)
    if other.is_fitted:
        with pytest.raises(EncoderMismatchError, match="was calibrated for"):
            scorer_of(wb.Cutoff.load(path), other)


def test_ctrl_c_leaves_no_harm(scorer, scores, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    def after_one_batch(jd, resumes):
        yield next(batches(jd, resumes))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if isinstance(scorer, RerankScorer):
            batches = scorer.reranker.score_batches
            patch.setattr(scorer.reranker, "score_batches", after_one_batch)
        else:
            patch.setattr(type(scorer.encoder), "encode_queries", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scorer.score(JDS, RESUMES)
    assert scorer.score(JDS, RESUMES).matrix == pytest.approx(scores.matrix, abs=1e-5)


@pytest.mark.parametrize("case", named("+rerank:"), indirect=True)
def test_a_stopped_rerank_goes_on_and_reads_no_pair_twice(scorer, scores, tmp_path, monkeypatch):
    kept = RerankScorer(scorer.first, scorer.reranker, scorer.top, RerankStore(tmp_path / "s.sqlite"))
    batches, read = scorer.reranker.score_batches, []

    def counted(jd, resumes):
        for batch in batches(jd, resumes):
            if len(read) == 2 * TOP:
                raise KeyboardInterrupt
            read.extend((jd, resumes[at]) for at in batch.positions)
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(scorer.reranker, "score_batches", counted)
        with pytest.raises(KeyboardInterrupt):
            kept.score(JDS, RESUMES)
        first, read = read, []
        assert kept.score(JDS[:2], RESUMES).matrix == pytest.approx(scores.matrix[:2], abs=1e-5)
        assert not read
    assert kept.score(JDS, RESUMES).matrix == pytest.approx(scores.matrix, abs=1e-5)
    assert len(first) == len(set(first))


def test_pairs_scored_in_a_frame_carry_the_fitted_fingerprint(case, scorer):
    frame = pd.DataFrame([(jd, resume) for jd in JDS for resume in RESUMES], columns=["jd", "resume"])
    scored = wb.score_pairs(frame, load_scorer(case.spec))
    # Without offsets, which labels give.
    fitted = load_scorer(case.spec).fit(JDS, RESUMES)
    assert scored.attrs["encoder"]["fingerprint"] == fitted.fingerprint
    assert scored["score"].to_numpy() == pytest.approx(fitted.score(JDS, RESUMES).matrix.ravel(), abs=1e-5)
    assert wb.score_pairs(frame, scorer).attrs["encoder"]["fingerprint"] == scorer.fingerprint
