"""Every word of the report, from one translatable catalogue.

A catalogue is a flat JSON file of strings with ``{placeholders}``. Where a number decides
the form, the key has two entries, ``key.one`` and ``key.many``, chosen by ``count``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError


@dataclass(frozen=True)
class Catalogue:
    """The strings of one language, filled in by calling it.

    Examples
    --------
    >>> say = Catalogue("en", {"slices": "Slices {mm} mm."})
    >>> say("slices", mm=3)
    'Slices 3 mm.'
    """

    language: str
    strings: Mapping[str, str]

    def __call__(self, key: str, /, **values: object) -> str:
        """Fill in one string; with ``count`` given, its form for one or many."""
        if "count" in values and f"{key}.many" in self.strings:
            key = f"{key}.one" if values["count"] == 1 else f"{key}.many"
        return self.strings[key].format(**values)

    def or_raw(self, key: str, raw: str) -> str:
        """Return the string of ``key``, or ``raw`` made readable where there is none."""
        return self.strings.get(key, raw.replace("_", " "))

    def listed(self, parts: Sequence[str]) -> str:
        """Join as in prose: ``a``, ``a and b``, ``a, b and c``."""
        if len(parts) < 2:
            return "".join(parts)
        return self("list.last", first=", ".join(parts[:-1]), last=parts[-1])

    def flag(self, flag: str) -> str:
        """Say a quality flag (``name`` or ``name: detail``) in words."""
        name, _, detail = flag.partition(":")
        words = self.or_raw(f"flag.{name.strip()}", name.strip())
        return f"{words}: {detail.strip()}" if detail.strip() else words

    def levels(self, levels: Sequence[VertebraLevel]) -> str:
        """Name levels, runs of three or more as a range: ``T8-T11, L1``."""
        return ", ".join(_name_run(run) for run in _runs(levels))


def load_catalogue(language: str = "en") -> Catalogue:
    """Read the catalogue of a language that is shipped with the package.

    Raises
    ------
    ConfigError
        If there is none for this language.
    """
    folder = resources.files("spinexplain.texts") / "languages"
    known = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir())
    if language not in known:
        raise ConfigError(
            f"the report has no language {language!r}; expected one of {', '.join(known)}. "
            "Choose one of these, or add a catalogue."
        )
    content = (folder / f"{language}.json").read_text(encoding="utf-8")
    return Catalogue(language, json.loads(content))


def _runs(levels: Sequence[VertebraLevel]) -> list[list[VertebraLevel]]:
    runs: list[list[VertebraLevel]] = []
    for level in sorted(levels, key=lambda item: item.order):
        if runs and _follows(runs[-1][-1], level):
            runs[-1].append(level)
        else:
            runs.append([level])
    return runs


def _follows(upper: VertebraLevel, lower: VertebraLevel) -> bool:
    """Whether ``lower`` comes next; T13 may be missing between T12 and L1."""
    gap = lower.order - upper.order
    return gap == 1 or (upper is VertebraLevel.T12 and lower is VertebraLevel.L1)


def _name_run(run: list[VertebraLevel]) -> str:
    if len(run) < 3:
        return ", ".join(level.value for level in run)
    return f"{run[0].value}\N{EN DASH}{run[-1].value}"
