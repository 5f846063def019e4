"""The schema and the value of settings."""

from dataclasses import fields, replace

import pytest

from segstudio.core.settings import (
    RECENT_LIMIT,
    SETTINGS,
    Settings,
    changes_of,
    from_changes,
    setting,
)
from segstudio.errors import SettingsError


def test_every_field_has_a_schema_and_every_schema_a_field():
    assert sorted(s.key for s in SETTINGS) == sorted(f.name for f in fields(Settings))


def test_every_shown_setting_has_a_title_and_a_group():
    assert all(s.title and s.group for s in SETTINGS if s.kind != "hidden")


def test_every_default_is_allowed():
    for entry in SETTINGS:
        assert entry.checked(getattr(Settings(), entry.key)) == getattr(Settings(), entry.key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "pink"),
        ("opacity", 1.5),
        ("opacity", True),
        ("opacity", "much"),
        ("loop", 1),
        ("speed", 3.0),
        ("cache_mb", 1),
        ("model", 7),
        ("recent", "not a list"),
        ("recent", [1, 2]),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_default_named(key, value):
    with pytest.raises(SettingsError, match=key):
        setting(key).checked(value)


def test_whole_numbers_are_good_for_fractions():
    assert setting("opacity").checked(1) == 1.0
    assert isinstance(setting("opacity").checked(1), float)


def test_only_what_differs_is_kept_and_comes_back():
    changed = replace(Settings(), theme="light", opacity=0.25, recent=("/a", "/b"))
    changes = changes_of(changed)
    assert set(changes) == {"theme", "opacity", "recent"}
    assert from_changes(changes) == (changed, ())


def test_one_bad_value_costs_only_itself():
    settings, refused = from_changes({"theme": "light", "opacity": 9, "colour": "red"})
    assert settings == replace(Settings(), theme="light")
    assert len(refused) == 2
    assert any("colour" in sentence for sentence in refused)


def test_a_file_opened_again_moves_to_the_front():
    settings = Settings()
    for name in ("/a", "/b", "/a"):
        settings = settings.with_recent(name)
    assert settings.recent == ("/a", "/b")


def test_the_list_of_recent_files_ends_somewhere():
    settings = Settings()
    for number in range(RECENT_LIMIT + 5):
        settings = settings.with_recent(f"/{number}")
    assert len(settings.recent) == RECENT_LIMIT
    assert settings.recent[0] == f"/{RECENT_LIMIT + 4}"
