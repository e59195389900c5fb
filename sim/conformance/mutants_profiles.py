"""Wrong profiles, one manner each: it is as in `strict`, or what a setting says is not heeded."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from sim.conformance.mutants import mutant
from virtualtap.config import TapConfig
from virtualtap.profiles import PROFILES, Profile
from virtualtap.tap import VirtualTap


def with_manners(config: TapConfig, wrong: Profile) -> VirtualTap:
    """A tap whose profile is another one than it says."""
    right = PROFILES[config.profile]
    PROFILES[config.profile] = wrong
    try:
        return VirtualTap(config)
    finally:
        PROFILES[config.profile] = right


def _register(profile: str, what: str, changes: Mapping[str, Any]) -> None:
    wrong = replace(PROFILES[profile], **changes)

    def make(config: TapConfig) -> VirtualTap:
        return with_manners(config, wrong) if config.profile == profile else VirtualTap(config)

    make.__name__ = f"{profile}_{what}"
    mutant(make)


for _name, _profile in PROFILES.items():
    for _field in fields(Profile):
        _strict = getattr(PROFILES["strict"], _field.name)
        if _field.name != "settings" and getattr(_profile, _field.name) != _strict:
            _register(_name, f"{_field.name}_is_strict", {_field.name: _strict})
    for _setting in _profile.settings:
        _left = {key: value for key, value in _profile.settings.items() if key != _setting}
        _register(_name, f"{_setting}_is_strict", {"settings": _left})
    for _heard in sorted(_profile.adds if _name != "strict" else ()):
        _register(_name, f"does_not_add_who_is_{_heard}", {"adds": _profile.adds - {_heard}})
