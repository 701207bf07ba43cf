"""Settings: what each environment variable does, and the defaults without any."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from workbench.errors import InputError
from workbench.i18n import current_language
from workbench.settings import Settings, get_settings


def settings(**variables: str) -> Settings:
    return Settings.from_environment({f"WORKBENCH_{name}": value for name, value in variables.items()})


class TestDefaults:
    def test_the_cache_is_where_the_platform_keeps_caches(self):
        assert settings().cache_dir == Path(platformdirs.user_cache_dir("workbench", appauthor=False))

    def test_the_rest(self):
        assert (settings().models_dir, settings().encoder, settings().language) == (None, "auto", "en")
        assert settings().progress is None

    @pytest.mark.parametrize(
        ("environ", "language"),
        [
            ({"LANG": "zh_CN.UTF-8"}, "zh"),
            ({"LANG": "zh_TW"}, "zh"),
            ({"LANG": "de_DE.UTF-8"}, "en"),
            ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
            ({"LC_MESSAGES": "zh_CN", "LANG": "en_US"}, "zh"),
            ({"WORKBENCH_LANGUAGE": "en", "LC_ALL": "zh_CN.UTF-8"}, "en"),
            ({"WORKBENCH_LANGUAGE": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
        ],
    )
    def test_the_language_is_that_of_the_locale(self, environ, language):
        assert Settings.from_environment(environ).language == language

    def test_people_are_spoken_to_in_the_language_of_the_settings(self, monkeypatch):
        for code in ("zh", "en"):
            monkeypatch.setenv("WORKBENCH_LANGUAGE", code)
            assert get_settings().language == current_language() == code

    def test_an_empty_variable_counts_as_unset(self):
        assert settings(ENCODER="", CACHE="", MODELS="", LANGUAGE="", PROGRESS="", PROJECT="") == settings()


class TestFolders:
    def test_the_store_lies_in_the_cache(self):
        assert settings(CACHE="/elsewhere").store_path == Path("/elsewhere/embeddings.sqlite")

    def test_a_tilde_is_the_home_folder(self, monkeypatch):
        monkeypatch.setenv("HOME", "/home/hr")
        monkeypatch.setenv("USERPROFILE", "/home/hr")
        found = settings(CACHE="~/c", MODELS="~/m", PROJECT="~/p")
        home = Path("/home/hr")
        assert (found.cache_dir, found.models_dir, found.project_dir) == (home / "c", home / "m", home / "p")

    def test_the_project_is_the_nearest_folder_above_with_labelled_pairs(self, tmp_path, monkeypatch):
        (tmp_path / "labeled_pairs").mkdir()
        below = tmp_path / "notebooks" / "drafts"
        below.mkdir(parents=True)
        monkeypatch.chdir(below)
        assert settings().project_dir == tmp_path
        assert settings().cutoffs_dir == tmp_path / "labeled_pairs" / "cutoffs"

    def test_a_file_of_that_name_makes_no_project(self, tmp_path, monkeypatch):
        (tmp_path / "labeled_pairs").touch()
        below = tmp_path / "below"
        below.mkdir()
        monkeypatch.chdir(below)
        assert settings().project_dir != tmp_path

    def test_without_one_the_project_is_the_working_directory(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert settings().project_dir == tmp_path


class TestChoices:
    @pytest.mark.parametrize(("value", "progress"), [("1", True), ("0", False)])
    def test_progress_is_switched_on_or_off(self, value, progress):
        assert settings(PROGRESS=value).progress is progress

    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_language(self, language):
        assert settings(LANGUAGE=language).language == language

    @pytest.mark.parametrize(
        ("name", "value", "allowed"), [("LANGUAGE", "de", "zh, en"), ("PROGRESS", "yes", "0, 1")]
    )
    def test_another_value_is_refused_with_those_allowed(self, name, value, allowed):
        with pytest.raises(InputError, match=f"WORKBENCH_{name} is '{value}'; set it to one of {allowed}"):
            settings(**{name: value})


class TestEnvironment:
    def test_a_change_of_the_environment_is_seen_at_once(self, monkeypatch):
        monkeypatch.setenv("WORKBENCH_ENCODER", "keyword")
        assert get_settings().encoder == "keyword"
        monkeypatch.setenv("WORKBENCH_ENCODER", "use")
        assert get_settings().encoder == "use"

    def test_no_secret_is_a_setting(self, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        assert "sk-secret" not in repr(get_settings())
