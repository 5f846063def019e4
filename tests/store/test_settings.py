"""settings.json on disk."""

import json
from dataclasses import replace

import pytest

from segstudio.core.settings import Settings
from segstudio.errors import SegStudioError
from segstudio.store.settings import load_settings, save_settings, settings_file


def test_no_file_means_the_defaults():
    assert load_settings() == (Settings(), ())


def test_what_was_saved_comes_back(own_home):
    changed = replace(Settings(), theme="light", loop=True, recent=("/x/öß.mp4",))
    save_settings(changed)
    assert load_settings() == (changed, ())
    assert settings_file().is_relative_to(own_home)


def test_the_file_holds_only_what_differs():
    save_settings(replace(Settings(), opacity=0.25))
    assert json.loads(settings_file().read_text(encoding="utf-8")) == {"opacity": 0.25}


def test_a_damaged_file_is_set_aside_and_said():
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text('{"theme": "li', encoding="utf-8")
    settings, said = load_settings()
    assert settings == Settings()
    assert "settings.broken.json" in said[0]
    assert settings_file().with_name("settings.broken.json").read_text() == '{"theme": "li'
    assert load_settings() == (Settings(), ())


def test_json_that_is_no_object_is_damaged_too():
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text("[1, 2]", encoding="utf-8")
    assert load_settings()[1]


def test_a_value_from_another_version_is_dropped_and_said():
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text('{"theme": "light", "speed": 17}', encoding="utf-8")
    settings, said = load_settings()
    assert settings.theme == "light"
    assert "speed" in said[0]


def test_a_failed_save_leaves_the_old_file(monkeypatch):
    save_settings(replace(Settings(), theme="light"))
    before = settings_file().read_bytes()

    def full_disk(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(SegStudioError, match="No space left"):
        save_settings(replace(Settings(), theme="dark"))
    assert settings_file().read_bytes() == before
    assert [p.name for p in settings_file().parent.iterdir()] == ["settings.json"]
