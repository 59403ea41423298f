"""Named tasks: which classes a model distinguishes, and which Genant grades each stands for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from spinexplain.errors import ConfigError

TASKS: dict[str, dict[str, tuple[str, ...]]] = {
    "g0-g2-g3": {"G0": ("G0",), "G2": ("G2",), "G3": ("G3",)},
    "g0-g1-g2-g3": {"G0": ("G0",), "G1": ("G1",), "G2": ("G2",), "G3": ("G3",)},
    "fracture": {"no fracture": ("G0",), "fracture": ("G2", "G3")},
    "any-fracture": {"no fracture": ("G0",), "fracture": ("G1", "G2", "G3")},
}
"""Name -> class -> grades. ``g0-g2-g3`` is ProtoVerse's, which leaves G1 out, as ``fracture``
does; ``any-fracture`` counts G1 as fractured."""


def with_task(content: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Replace the key ``task`` of a configuration by the classes and grades it stands for.

    Parameters
    ----------
    content : mapping
        A configuration as nested dictionaries; without ``task`` it is left as it is.
    source : str
        Where it comes from, for messages.

    Raises
    ------
    ConfigError
        If there is no such task, or classes or grades are given beside it.

    Examples
    --------
    >>> with_task({"task": "fracture"}, "my.toml")["classes"]
    ['no fracture', 'fracture']
    """
    if "task" not in content:
        return dict(content)
    name = str(content["task"])
    if name.lower() not in TASKS:
        near = difflib.get_close_matches(name.lower(), TASKS, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise ConfigError(f'task in {source} is "{name}"; expected {", ".join(TASKS)}.{hint}')
    if both := [key for key in ("classes", "grades") if key in content]:
        raise ConfigError(
            f"{source} has task and {' and '.join(both)}; expected one or the other. Leave one out."
        )
    task = TASKS[name.lower()]
    rest = {key: value for key, value in content.items() if key != "task"}
    grades = {} if all(of == (k,) for k, of in task.items()) else {k: [*v] for k, v in task.items()}
    return rest | {"classes": [*task], "grades": grades}


HEALTHY = ("G0", "no fracture")
"""Names of the class that means *no fracture*."""


def healthy_class(classes: Sequence[str]) -> str:
    """Return the class that means *no fracture*: by its name, or else the first.

    Examples
    --------
    >>> healthy_class(("fracture", "no fracture"))
    'no fracture'
    """
    return next((name for name in classes if name in HEALTHY), classes[0])
