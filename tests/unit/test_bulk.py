"""Bulk encoding with one worker: what is in the files, what is done again, and what is refused."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from toy_encoders import ToyEncoder
from typer.testing import CliRunner

from workbench import KnowledgeBase, encode_parquet
from workbench.cli import app
from workbench.encoders.bulk import MANIFEST
from workbench.encoders.universal import UniversalSentenceEncoder
from workbench.errors import EncoderMismatchError, InputError, MissingDependencyError

TEXTS = ["  熟悉  RAG ", None, "Java", "nan", "Go\r\nand Rust", "Java", " ", "SQL", "C++", "Python"]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "texts.parquet"
    table = pa.table(
        {"id": range(10), "text": TEXTS, "city": pa.array(["上海", "北京"] * 5).dictionary_encode()}
    )
    pq.write_table(table, path, row_group_size=7)
    return path


def test_rows_stay_as_they_are_and_get_the_vectors_of_their_tidied_texts(source, tmp_path):
    report = encode_parquet(source, tmp_path / "out", ToyEncoder(), rows=3)
    found = pd.read_parquet(tmp_path / "out")
    pd.testing.assert_frame_equal(found.drop(columns="vector"), pd.read_parquet(source))
    tidied = ["熟悉 RAG", "", "Java", "", "Go\nand Rust", "Java", "", "SQL", "C++", "Python"]
    for text, vector in zip(tidied, found["vector"], strict=True):
        if text:
            np.testing.assert_allclose(vector, ToyEncoder().encode_documents([text])[0])
        else:
            assert vector is None
    # Runs of 3 rows in row groups of 7 and 3.
    assert [pq.read_metadata(path).num_rows for path in sorted((tmp_path / "out").glob("part*"))] == [
        *(3, 3, 1),
        3,
    ]
    assert (report.n_files, report.n_rows, report.n_encoded, report.n_without_vector) == (4, 10, 10, 3)
    kind = pq.read_schema(tmp_path / "out" / "part-000000.parquet").field("vector").type
    assert kind == pa.list_(pa.float32(), 4)


def test_the_metadata_of_each_file_names_the_encoder(source, tmp_path):
    encode_parquet(source, tmp_path / "out", ToyEncoder(), role="query")
    said = json.loads(pq.read_metadata(tmp_path / "out" / "part-000000.parquet").metadata[b"workbench"])
    assert (said["fingerprint"], said["role"]) == (ToyEncoder().fingerprint, "query")


def test_only_what_is_missing_or_damaged_is_encoded_again(source, tmp_path):
    out = tmp_path / "out"
    encode_parquet(source, out, ToyEncoder(), rows=3)
    (out / "part-000000.parquet").unlink()
    (out / "part-000003.parquet").write_bytes(b"PAR1, then the disk was full")
    again = ToyEncoder()
    report = encode_parquet(source, out, again, rows=3)
    assert again.texts_asked == ["熟悉 RAG", "Java", "SQL", "C++", "Python"]
    assert report.n_encoded == 6
    assert "since they were there: 4" in "\n".join(report.lines())


def test_an_interruption_loses_what_was_begun_only(source, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        encode_parquet(source, tmp_path / "out", ToyEncoder(batch_size=1, stop_at=2), rows=5)
    assert list((tmp_path / "out").glob("*.parquet")) == []
    encode_parquet(source, tmp_path / "out", ToyEncoder(), rows=5)
    assert len(pd.read_parquet(tmp_path / "out")) == 10


def test_another_encoder_input_or_role_is_refused(source, tmp_path):
    out = tmp_path / "out"
    encode_parquet(source, out, ToyEncoder())
    with pytest.raises(EncoderMismatchError, match=r"vectors of toy .*, not of other"):
        encode_parquet(source, out, ToyEncoder(name="other"))
    with pytest.raises(InputError, match="another input"):
        encode_parquet(source, out, ToyEncoder(), role="query")
    pq.write_table(pa.table({"id": range(10), "text": [*TEXTS[:9], "Ruby"], "city": ["上海"] * 10}), source)
    with pytest.raises(InputError, match="another input"):
        encode_parquet(source, out, ToyEncoder())
    with pytest.raises(InputError, match="other files"):
        encode_parquet(source, tmp_path, ToyEncoder())


def test_a_file_that_cannot_be_read_is_refused_without_its_texts(tmp_path):
    path = tmp_path / "texts.parquet"
    broken = pa.array([b"13800138000 \xff\xfe"]).cast(pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": broken}), path)
    with pytest.raises(InputError, match=r"texts.parquet is damaged") as error:
        encode_parquet(path, tmp_path / "out", ToyEncoder())
    assert "138" not in str(error.value)
    path.write_bytes(b"PAR1 but not really PAR1")
    with pytest.raises(InputError, match=r"texts.parquet is damaged"):
        encode_parquet(path, tmp_path / "out", ToyEncoder())


def test_several_workers_without_ray_say_which_extra(source, tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.encoders.on_ray.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"\[cluster\]"):
        encode_parquet(source, tmp_path / "out", ToyEncoder(), workers=2)


def test_a_knowledge_base_takes_the_vectors_and_the_other_columns(source, tmp_path, monkeypatch):
    out, base = tmp_path / "out", tmp_path / "kb"
    run = CliRunner().invoke(app, ["encode", str(source), str(out), "-e", "use", "--rows", "4"])
    assert run.exit_code == 0, run.output
    asked = []
    encode = UniversalSentenceEncoder.encode_batches
    monkeypatch.setattr(
        UniversalSentenceEncoder,
        "encode_batches",
        lambda self, texts, role: asked.extend(texts) or encode(self, texts, role),
    )
    run = CliRunner().invoke(app, ["kb", "add", str(base), str(out), "-e", "use"])
    assert run.exit_code == 0, run.output
    assert "4 of 4 added" not in run.output
    # Only the parts of the one whole document.
    assert asked == ["Go", "and Rust"]
    kept = KnowledgeBase.open(base)
    assert kept.texts == ["熟悉 RAG", "Java", "Go\nand Rust", "SQL", "C++", "Python"]
    assert kept.metadata.iloc[3].to_dict() == {"id": 7, "city": "北京"}


def test_a_folder_that_is_not_encoded_to_the_end_is_not_taken(source, tmp_path):
    out = tmp_path / "out"
    encode_parquet(source, out, "keyword", rows=4)
    (out / "part-000001.parquet").unlink()
    with pytest.raises(InputError, match=r"of .* are there; encode it to the end"):
        KnowledgeBase.open(tmp_path / "kb", "keyword").add_files(out)


@pytest.mark.parametrize("change", [{"text_column": "id"}, {"text_column": "no"}, {"n_files": "many"}])
def test_a_manifest_that_was_tampered_with_is_refused(source, tmp_path, change):
    out = tmp_path / "out"
    encode_parquet(source, out, "keyword")
    manifest = json.loads((out / MANIFEST).read_text())
    (out / MANIFEST).write_text(json.dumps(manifest | change))
    with pytest.raises(InputError, match="is damaged"):
        KnowledgeBase.open(tmp_path / "kb", "keyword").add_files(out)
