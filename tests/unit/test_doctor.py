"""The doctor: what it finds agrees with this machine, and what is amiss is said with advice."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from workbench import Cutoff, diagnostics, load_encoder
from workbench.cli import app
from workbench.diagnostics import Finding, diagnose
from workbench.encoders import EmbeddingStore, availability
from workbench.i18n import language


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """An empty project with an empty cache."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WORKBENCH_PROJECT", str(tmp_path))
    return tmp_path


def found(topic: str, name: str) -> Finding:
    (finding,) = [f for f in looked_into(topic) if f.name == name]
    return finding


def looked_into(topic: str) -> list[Finding]:
    return diagnostics._careful(topic, getattr(diagnostics, f"_{topic.lower()}"))


class TestMachine:
    def test_python_is_the_one_that_runs(self):
        assert found("Python", "python").value == f"{platform.python_version()} at {sys.executable}"

    @pytest.mark.parametrize("package", ["numpy", "pandas", "papermill"])
    def test_packages_come_with_their_versions(self, package):
        assert found("Packages", package).value == metadata.version(package)

    def test_all_that_is_required_is_here(self):
        total = sum("extra ==" not in line for line in metadata.requires("jd-resume-workbench"))
        assert found("Packages", "required").value == f"{total} of {total} as needed"

    def test_a_package_that_is_too_old_is_a_problem_with_the_command_that_helps(self, monkeypatch):
        real = metadata.version
        monkeypatch.setattr(metadata, "version", lambda name: "0.1" if name == "papermill" else real(name))
        problem = [f for f in looked_into("Packages") if f.status == "problem"]
        assert [f.name for f in problem] == ["papermill"]
        assert re.match(r"0\.1, needed: >=", problem[0].value)
        assert problem[0].advice.startswith("pip install 'papermill>=")

    @pytest.mark.models
    def test_torch_and_its_devices(self):
        torch = pytest.importorskip("torch")
        names = {finding.name for finding in looked_into("GPU")}
        assert found("GPU", "torch").value.startswith(torch.__version__)
        assert {f"cuda:{number}" for number in range(torch.cuda.device_count())} <= names

    def test_without_torch_it_says_what_needs_it(self, monkeypatch):
        monkeypatch.setattr(diagnostics, "find_spec", lambda name: None)
        assert found("GPU", "torch").status == "note"
        assert "'.[qwen]'" in found("GPU", "torch").advice

    def test_without_faiss_nothing_can_be_searched(self, monkeypatch):
        monkeypatch.setattr(diagnostics, "find_spec", lambda name: None)
        assert found("GPU", "faiss").status == "problem"

    def test_every_encoder_is_named_with_why_it_can_or_cannot_be_loaded(self):
        findings = looked_into("Encoders")
        assert [f.name for f in findings] == [entry.spec for entry in availability()]
        assert all(
            (f.status == "ok") == entry.available for f, entry in zip(findings, availability(), strict=True)
        )
        assert all(f.advice for f in findings if f.status != "ok")

    def test_figures_can_show_chinese(self):
        assert found("Figures", "Chinese").status == "ok"

    def test_a_font_without_chinese_is_a_problem(self, monkeypatch):
        from matplotlib import font_manager

        latin = font_manager.findfont("DejaVu Sans")
        monkeypatch.setattr("workbench.plots.style.cjk_font_path", lambda: Path(latin))
        finding = found("Figures", "Chinese")
        assert finding.status == "problem"
        assert finding.value == "DejaVuSans.ttf lacks 职位简历匹配"

    def test_the_kernel_of_notebooks_is_this_environment(self):
        assert found("Notebooks", "kernel").status == "ok"

    def test_a_kernel_of_another_environment_is_a_problem(self, tmp_path, monkeypatch):
        other = tmp_path / "kernels" / "python3"
        other.mkdir(parents=True)
        spec = {
            "argv": ["/opt/other/bin/python", "-m", "ipykernel"],
            "display_name": "x",
            "language": "python",
        }
        (other / "kernel.json").write_text(json.dumps(spec))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        assert found("Notebooks", "kernel").status == "problem"
        assert "/opt/other/bin/python" in found("Notebooks", "kernel").value

    def test_a_browser_is_only_needed_for_tests(self, monkeypatch):
        monkeypatch.setattr(shutil, "which", lambda name: None)
        finding = diagnostics._careful("Tests", diagnostics._browser)[0]
        assert (finding.status, "apt install chromium" in finding.advice) == ("note", True)


class TestStore:
    def test_before_first_use_it_says_where_vectors_will_be(self, project):
        assert str(project / "cache" / "embeddings.sqlite") in found("Store", "vectors").value

    def test_looking_leaves_nothing_behind(self, project):
        diagnose()
        assert not (project / "cache").exists()

    def test_what_is_kept_is_counted(self, project):
        encoder = load_encoder("use", store=False)
        with EmbeddingStore(project / "cache" / "embeddings.sqlite") as store:
            vectors = np.eye(2, 512, dtype=np.float32)
            store.put(encoder.fingerprint, "document", ["a", "b"], vectors, name="use")
        assert found("Store", "vectors").value.startswith("2 in ")
        assert found("Store", "use").value == f"2 documents, 0 queries; 512 dimensions, {encoder.fingerprint}"

    def test_a_damaged_store_is_a_problem_and_stays_as_it_is(self, project):
        path = project / "cache" / "embeddings.sqlite"
        path.parent.mkdir()
        path.write_bytes(b"not a database" * 100)
        assert [f.status for f in looked_into("Store")][-1] == "problem"
        assert path.read_bytes() == b"not a database" * 100

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
    def test_a_cache_that_cannot_be_written_is_a_problem(self, project):
        (project / "cache").mkdir(mode=0o500)
        assert found("Store", "writable").status == "problem"

    def test_little_room_is_a_note(self, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
        assert found("Store", "free space").status == "note"


class TestProject:
    def test_settings_are_shown_as_the_environment_has_them(self, project, monkeypatch):
        monkeypatch.setenv("WORKBENCH_ENCODER", "keyword")
        assert found("Settings", "encoder").value == "keyword"
        assert found("Settings", "project_dir").value == str(project)

    def test_a_setting_that_is_wrong_is_a_problem_and_not_the_end(self, monkeypatch):
        monkeypatch.setenv("WORKBENCH_LANGUAGE", "de")
        problems = {f.topic: f.value for f in diagnose() if f.status == "problem"}
        assert "WORKBENCH_LANGUAGE is 'de'" in problems["Settings"]
        assert {f.topic for f in diagnose()} >= {"Python", "Packages", "Figures"}

    def test_cards_are_listed_with_their_encoder(self, project):
        Cutoff(0.375, "use", "a1b2c3d4e5f6").save(project / "labeled_pairs" / "cutoffs" / "use.json")
        assert found("Project", "use.json").value == "0.3750 for use [a1b2c3d4e5f6]"

    def test_without_cards_it_says_what_that_means(self):
        assert "0.4 with a warning" in found("Project", "cutoff cards").advice

    def test_a_package_that_breaks_while_it_is_looked_at_is_a_problem(self):
        def broken(find):
            yield find("torch", "2.0")
            raise OSError("libcudart.so: cannot open shared object file")

        before, problem = diagnostics._careful("GPU", broken)
        assert before == Finding("GPU", "torch", "2.0", "ok")
        assert (problem.status, "libcudart.so" in problem.value) == ("problem", True)


class TestLanguage:
    def test_values_and_advice_follow_it_and_names_stay(self, monkeypatch):
        english = diagnose()
        with language("zh"):
            chinese = diagnose()
        assert [(f.topic, f.name, f.status) for f in chinese] == [
            (f.topic, f.name, f.status) for f in english
        ]
        (kernel,) = [f.value for f in chinese if f.name == "kernel"]
        assert kernel == "python3 在本环境中运行"
        said = CliRunner().invoke(app, ["--language", "zh", "doctor"]).stdout
        assert "软件包" in said
        assert "剩余空间" in said
        assert re.search(r"^ *✓ +encoder +auto", said, re.MULTILINE)  # a name in code, not a word

    def test_each_topic_is_a_word_of_it_or_a_name(self):
        topics = {finding.topic for finding in diagnose()}
        with language("zh"):
            said = {diagnostics.heading(topic) for topic in topics}
        assert {topic for topic in said if topic.isascii()} == {"Python", "GPU", "Notebook"}


class TestCommand:
    def test_as_json_with_exit_code_zero_where_all_is_well(self):
        done = CliRunner().invoke(app, ["doctor", "--json"])
        report = json.loads(done.stdout)
        assert done.exit_code == 0, [f for f in report["findings"] if f["status"] == "problem"]
        assert report["ok"] is True
        assert report["findings"][0].keys() == {"topic", "name", "value", "status", "advice"}

    def test_exit_code_one_and_advice_where_something_is_amiss(self, monkeypatch):
        problem = Finding("GPU", "faiss", "not installed", "problem", "pip install '.[cpu]'")
        monkeypatch.setattr(diagnostics, "diagnose", lambda: [Finding("Python", "python", "3.11"), problem])
        done = CliRunner().invoke(app, ["doctor"])
        assert done.exit_code == 1
        assert re.search(r"✗\s+faiss\s+not installed\s+pip install '\.\[cpu\]'", done.stdout)
        assert "1 problem found." in done.stdout
