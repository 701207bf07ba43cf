"""Whether two encoders give the same vectors, and what is said of how they differ."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from servers import ScriptedServer, embeddings
from typer.testing import CliRunner

import workbench as wb
from workbench.cli import app
from workbench.encoders import BaseEncoder, compare_vectors
from workbench.errors import InputError
from workbench.examples import BACKGROUND, EXAMPLE_JDS

RESUMES = list(BACKGROUND[: len(EXAMPLE_JDS)])


class Altered(BaseEncoder):
    """`use`, with something done to its vectors or its texts."""

    name, dimension = "altered", 512

    def __init__(self, alter=lambda vectors: vectors, queries="{}"):
        self.use, self.alter, self.queries = wb.load_encoder("use", store=False), alter, queries

    @property
    def recipe(self):
        return {"encoder": self.name}

    def encode_batches(self, texts, role):
        asked = [self.queries.format(text) if role == "query" else text for text in texts]
        yield np.arange(len(texts)), self.alter(self.use.encode_documents(asked, progress=False))


def noise(size):
    return lambda vectors: vectors + size * np.random.default_rng(0).standard_normal(vectors.shape) / 512**0.5


@pytest.mark.parametrize(
    ("other", "kind", "words"),
    [
        (Altered(lambda vectors: vectors.astype(np.float16)), "same", "same vectors"),
        (Altered(queries="Find the job: {}"), "instruction", "instruction"),
        (Altered(noise(0.03)), "rounding", "precision"),
        (Altered(lambda vectors: vectors[:, ::-1]), "other", "pooling"),
        (wb.load_encoder("keyword", store=False), "dimension", "different lengths"),
    ],
)
def test_a_difference_is_told_by_what_it_looks_like(other, kind, words):
    use = wb.load_encoder("use", store=False)
    found = compare_vectors(use, other, EXAMPLE_JDS, RESUMES, cutoff=0.3)
    assert found.kind == kind
    assert words in found.summary()
    assert found.is_same == (kind == "same")


def test_cosines_and_flips_are_those_of_the_vectors():
    use, other = wb.load_encoder("use", store=False), Altered(noise(0.5))
    documents = [each.encode_documents(EXAMPLE_JDS, progress=False) for each in (use, other)]
    queries = [each.encode_queries(RESUMES, progress=False) for each in (use, other)]
    scores = [(jd.astype(float) * cv).sum(axis=1) for jd, cv in zip(documents, queries, strict=True)]
    cutoff = float(np.median(scores[0]))
    found = compare_vectors(use, other, EXAMPLE_JDS, RESUMES, cutoff=cutoff)
    assert found.documents[0] == pytest.approx((documents[0].astype(float) * documents[1]).sum(axis=1).min())
    assert found.queries[-1] == pytest.approx(np.median((queries[0].astype(float) * queries[1]).sum(axis=1)))
    assert found.score_difference == pytest.approx(abs(scores[0] - scores[1]).max())
    assert found.flipped == ((scores[0] > cutoff) != (scores[1] > cutoff)).sum()


@pytest.mark.parametrize("resumes", [[], ["a nurse"]])
def test_pairs_are_needed(resumes):
    use = wb.load_encoder("use", store=False)
    with pytest.raises(InputError, match="pairs are needed"):
        compare_vectors(use, use, ["a", "b"] if resumes else [], resumes, cutoff=0.4)


@pytest.mark.parametrize(("prompt", "exit_code", "kind"), [("{}", 0, "same"), ("query: {}", 1, "other")])
def test_a_server_is_held_against_the_model_that_it_serves(tmp_path, prompt, exit_code, kind):
    use = wb.load_encoder("use", store=False)
    pd.DataFrame({"jd": EXAMPLE_JDS, "resume": RESUMES}).to_csv(tmp_path / "pairs.csv", index=False)

    def serve(asked, _number):
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        return embeddings(use.encode_documents([prompt.format(text) for text in texts], progress=False))

    with ScriptedServer(serve) as server:
        arguments = ["compare-encoders", "use", f"{server.url}#toy", "--pairs", str(tmp_path / "pairs.csv")]
        done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == exit_code, done.output
    told = json.loads(done.stdout)
    assert told["kind"] == kind
    assert told["n_pairs"] == len(EXAMPLE_JDS)
