"""Hashes of settings."""

from spinexplain.config.settings_hash import settings_hash


def test_settings_hash_sees_values_not_order():
    assert settings_hash({"a": 1, "b": [2]}) == settings_hash({"b": [2], "a": 1})
    assert settings_hash({"a": 1}) != settings_hash({"a": 2})
