"""Checkpoints whose modules lie in folders of their own: what the fingerprint covers, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sentence_transformers")

from workbench.encoders.fast.loading import load_by_sentence_transformers
from workbench.encoders.fast.options import Precision
from workbench.encoders.sentence_transformer import SentenceTransformerEncoder
from workbench.errors import EncoderUnavailableError

pytestmark = pytest.mark.models

WORDS = ("nurse", "java", "cook", "sql")


class Intruder:
    """A pickle of it makes a file when it is opened."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A tiny router: queries and documents each have an embedding of words, and a dense layer after it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Router, StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(0)
    tokenizer = Tokenizer(
        models.WordLevel({word: at for at, word in enumerate(("?", *WORDS))}, unk_token="?")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    sides = [[StaticEmbedding(tokenizer, embedding_dim=6), Dense(6, 4)] for _side in range(2)]
    folder = tmp_path_factory.mktemp("routed")
    SentenceTransformer(modules=[Router.for_query_document(*sides)], device="cpu").save_pretrained(
        str(folder)
    )
    return folder


@pytest.fixture
def copy(original, tmp_path):
    return Path(shutil.copytree(original, tmp_path / "copy"))


@pytest.fixture
def intruded(tmp_path):
    return tmp_path / "intruded"


def loaded(folder: Path) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(folder, name="routed", device="cpu")


def weights(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("model.safetensors"))
    assert len(found) == 4
    assert all(len(file.relative_to(folder).parts) >= 2 for file in found)
    return found


def pickled(file: Path, intruded: Path) -> None:
    import torch

    torch.save(Intruder(intruded), file)


class TestTheFingerprint:
    @pytest.mark.parametrize("which", range(4))
    def test_tells_weights_apart_in_each_folder(self, original, copy, which):
        from safetensors.numpy import load_file, save_file

        file = weights(copy)[which]
        changed = {name: -tensor for name, tensor in load_file(file).items()}
        save_file(changed, file)
        before, after = loaded(original), loaded(copy)
        vectors = [(each.encode_queries(WORDS), each.encode_documents(WORDS)) for each in (before, after)]
        assert not all(np.allclose(a, b) for a, b in zip(*vectors, strict=True))
        assert before.fingerprint != after.fingerprint

    def test_tells_apart_which_module_has_which_weights(self, original, copy):
        query, document = (weights(copy)[at] for at in (1, 3))
        query.rename(copy / "aside")
        document.rename(query)
        (copy / "aside").rename(document)
        before, after = loaded(original), loaded(copy)
        assert not np.allclose(before.encode_queries(WORDS), after.encode_queries(WORDS))
        assert before.fingerprint != after.fingerprint

    def test_covers_every_file_but_the_one_for_readers(self, original, copy):
        fingerprint = loaded(original).fingerprint
        encoder = loaded(copy)
        assert encoder.fingerprint == fingerprint
        unseen = set()
        for file in filter(Path.is_file, sorted(copy.rglob("*"))):
            content = file.read_bytes()
            if file.suffix == ".json":
                said = json.loads(content)
                said = {**said, "more": 1} if isinstance(said, dict) else [*said, said[0]]
                file.write_text(json.dumps(said))
            else:
                file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            encoder.__dict__.pop("recipe")
            if encoder.fingerprint == fingerprint:
                unseen.add(file.name)
            file.write_bytes(content)
        assert unseen == {"README.md"}

    def test_leaves_aside_who_wrote_the_checkpoint_and_what_is_not_loaded(self, original, copy):
        file = copy / "config_sentence_transformers.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "__version__": {"torch": "9"}}))
        (copy / "onnx").mkdir()
        (copy / "onnx" / "config.json").write_text("{}")
        assert loaded(copy).fingerprint == loaded(original).fingerprint


class TestPickles:
    @pytest.mark.parametrize("name", ["pytorch_model.bin", "a.pt", "a.pth", "a.CKPT", "a.pkl", "a.pickle"])
    @pytest.mark.parametrize("which", [0, 3])
    def test_of_a_module_within_a_module_are_refused_unopened(self, copy, intruded, name, which):
        file = weights(copy)[which].with_name(name)
        pickled(file, intruded)
        file.with_name("model.safetensors").unlink()
        place = file.relative_to(copy).as_posix()
        with pytest.raises(EncoderUnavailableError, match=f"only there as {place}, a pickle"):
            loaded(copy)
        assert not intruded.exists()

    def test_are_not_hidden_by_a_list_of_weights_that_the_module_does_not_read(self, copy, intruded):
        file = weights(copy)[0]
        shutil.copy(file, file.with_name("part.safetensors"))
        index = {"weight_map": {"embedding.weight": "part.safetensors"}}
        file.with_name("model.safetensors.index.json").write_text(json.dumps(index))
        pickled(file.with_name("pytorch_model.bin"), intruded)
        file.unlink()
        with pytest.raises(EncoderUnavailableError, match=r"pytorch_model\.bin, a pickle"):
            loaded(copy)
        assert not intruded.exists()

    def test_beside_safetensors_are_left_alone(self, original, copy, intruded):
        for file in weights(copy):
            pickled(file.with_name("pytorch_model.bin"), intruded)
        encoder = loaded(copy)
        assert np.array_equal(encoder.encode_queries(WORDS), loaded(original).encode_queries(WORDS))
        assert encoder.fingerprint == loaded(original).fingerprint
        assert not intruded.exists()

    def test_are_not_opened_by_the_library_either(self, copy, intruded):
        import torch

        file = weights(copy)[2]
        pickled(file.with_name("pytorch_model.bin"), intruded)
        file.unlink()
        load = torch.load
        with pytest.raises(
            EncoderUnavailableError, match=r"pytorch_model\.bin, a pickle, which can run code"
        ):
            load_by_sentence_transformers("SentenceTransformer", copy, Precision("float32", "float32"), "cpu")
        assert torch.load is load
        assert not intruded.exists()
        torch.load(file.with_name("pytorch_model.bin"), weights_only=False)
        assert intruded.exists()  # so the test could have failed


class TestWhatElseIsRefused:
    @pytest.mark.parametrize("place", ["../elsewhere", "/elsewhere"])
    def test_a_module_outside_of_the_checkpoint(self, copy, place):
        modules = json.loads((copy / "modules.json").read_text())
        (copy / "modules.json").write_text(json.dumps([*modules, {**modules[0], "path": place}]))
        with pytest.raises(EncoderUnavailableError, match="a module lies outside of it"):
            loaded(copy)

    def test_an_adapter_that_lacks_its_model(self, copy):
        (weights(copy)[0].parent / "adapter_config.json").write_text("{}")
        with pytest.raises(EncoderUnavailableError, match="it is an adapter"):
            loaded(copy)

    def test_a_router_that_leads_back_to_itself_is_no_endless_search(self, copy):
        router = next(copy.rglob("router_config.json"))
        said = json.loads(router.read_text())
        router.write_text(
            json.dumps({**said, "types": {**said["types"], ".": next(iter(said["types"].values()))}})
        )
        from workbench.encoders.fast.checkpoints import module_folders

        assert len(module_folders(copy)) == 5
