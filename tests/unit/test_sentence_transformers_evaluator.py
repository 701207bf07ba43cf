"""One question put to two programs: sentence-transformers' evaluator and ours, with the same real model."""

from __future__ import annotations

import pandas as pd
import pytest

import workbench as wb
from workbench.calibration import MaxAccuracy, MaxFBeta, Observations, choose, count, sweep

pytestmark = pytest.mark.models

SKILLS = (
    ("Java backend with Spring Boot", "built Spring services in Java for five years"),
    ("registered nurse in intensive care", "worked as an ICU nurse with a licence"),
    ("welding of stainless steel pipes", "certified TIG welder for steel pipelines"),
    ("tax declaration for companies", "prepared corporate tax returns"),
    ("machine learning with PyTorch", "trained neural networks in PyTorch"),
    ("teaching mathematics at school", "taught maths to ninth graders"),
    ("selling software to enterprises", "closed enterprise software deals"),
    ("warehouse logistics and forklifts", "drove forklifts in a distribution centre"),
)


@pytest.fixture(scope="module")
def pairs():
    rows = [(jd, text, int(i == j)) for i, (jd, _) in enumerate(SKILLS) for j, (_, text) in enumerate(SKILLS)]
    return pd.DataFrame(rows, columns=["jd", "resume", "label"])


@pytest.fixture(scope="module")
def theirs(pairs, minilm_checkpoint):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.evaluation import BinaryClassificationEvaluator

    evaluator = BinaryClassificationEvaluator(
        pairs["jd"].tolist(),
        pairs["resume"].tolist(),
        pairs["label"].tolist(),
        similarity_fn_names=["cosine"],
    )
    return evaluator(SentenceTransformer(str(minilm_checkpoint), device="cpu"))


@pytest.fixture(scope="module")
def scored(pairs, minilm_checkpoint):
    return wb.score_pairs(pairs, wb.load_encoder(f"st:{minilm_checkpoint}"), progress=False)


@pytest.mark.parametrize(("rule", "name"), [(MaxFBeta(1), "f1"), (MaxAccuracy(), "accuracy")])
def test_the_best_cutoff_and_what_it_reaches_are_the_same(scored, theirs, rule, name):
    ours = choose(count(Observations.from_frame(scored)), rule)
    figure = "f_beta" if name == "f1" else name
    # Scores of both differ by rounding; the cutoff lies half-way between two of them in either.
    assert ours.cutoff == pytest.approx(theirs[f"cosine_{name}_threshold"], abs=1e-5)
    assert ours.figures[figure].value == pytest.approx(theirs[f"cosine_{name}"])


def test_average_precision_is_the_area_under_our_curve(scored, theirs):
    table = sweep(scored["score"], scored["label"]).sort_values("cutoff", ascending=False)
    recall = table["recall"].to_numpy()
    steps = recall - [0.0, *recall[:-1]]
    area = (steps * table["precision"].fillna(1.0)).sum()
    assert area == pytest.approx(theirs["cosine_ap"])
