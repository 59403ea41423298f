"""Which files a localizer consists of, with their hashes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinexplain.errors import ModelError
from spinexplain.io.files import sha256_file
from spinexplain.io.json_file import write_json

SCHEMA = "spinexplain/localizer/1"
MANIFEST = "localizer.json"
NAMES = ("curve", "levels", "body")
"""In the order they are asked: where the spine runs, its levels, one body."""

GRAPH_FILES = (".xml", ".bin")
"""Endings of what OpenVINO reads beside the weights: the graph and its own constants."""


@dataclass(frozen=True)
class LocalizerManifest:
    """Which files a localizer consists of.

    Parameters
    ----------
    version : str
    weights : dict of str to str
        SHA-256 by a name of ``NAMES``.
    graphs : dict of str to str
        SHA-256 by file name; empty where only torch can run it.
    """

    version: str
    weights: dict[str, str]
    graphs: dict[str, str]


def write_manifest(folder: Path, version: str, weights: dict[str, str]) -> None:
    """Write which files a localizer consists of, with their hashes.

    Parameters
    ----------
    folder : Path
    version : str
    weights : dict of str to str
        SHA-256 of the weights, by a name of ``NAMES``. The graphs that lie in the folder are
        hashed here.
    """
    names = (f"{name}{ending}" for name in NAMES for ending in GRAPH_FILES)
    graphs = {name: sha256_file(folder / name) for name in names if (folder / name).is_file()}
    content = {"schema": SCHEMA, "version": version, "sha256": weights, "graphs": graphs}
    write_json(folder / MANIFEST, content)


def read_manifest(folder: Path) -> LocalizerManifest:
    """Read which files a localizer consists of.

    Raises
    ------
    ModelError
        If the folder holds no whole localizer.
    """
    try:
        content: Any = json.loads((folder / MANIFEST).read_text("utf-8"))
        version, weights = str(content["version"]), _hashes(content["sha256"])
        graphs = _hashes(content.get("graphs", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        content, version, weights, graphs = {}, "", {}, {}
    if content.get("schema") != SCHEMA or set(weights) != set(NAMES):
        raise ModelError(
            f"{folder} holds no whole localizer (networks: {', '.join(weights) or 'none'}); "
            f"expected {MANIFEST} with {', '.join(NAMES)}. Install the package again, or give a "
            "mask or centroids."
        )
    return LocalizerManifest(version, weights, graphs)


def _hashes(content: Any) -> dict[str, str]:
    return {str(name): str(digest) for name, digest in content.items()}


def read_checked(path: Path, expected: str) -> bytes:
    """Read a file once, so that what is used is what was hashed.

    Raises
    ------
    ModelError
        If it is missing or has another SHA-256.
    """
    content = path.read_bytes() if path.is_file() else None
    found = "none" if content is None else hashlib.sha256(content).hexdigest()
    if content is None or found != expected:
        raise ModelError(
            f"{path} has SHA-256 {found[:12]}; expected {expected[:12]}, as {MANIFEST} says. "
            "Install the package again."
        )
    return content
