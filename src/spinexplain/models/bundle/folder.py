"""The folder of a model bundle: where it is, and whether its files are those it was saved with."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spinexplain.errors import ModelError
from spinexplain.io.files import sha256_file
from spinexplain.models.bundle.description import SCHEMA, BundleDescription, ManifestDescription

MANIFEST = "manifest.json"


def shipped_models() -> list[str]:
    """List the bundles that come with the package, sorted."""
    folder = _shipped_folder()
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _shipped_folder() -> Path:
    return Path(str(resources.files("spinexplain") / "models" / "shipped"))


def locate(source: str | Path) -> Path:
    """Find a bundle's folder by its path, that of a run, or the name of a shipped one.

    Raises
    ------
    ModelError
        If there is none.
    """
    if str(source) in shipped_models():
        return _shipped_folder() / str(source)
    folder = Path(source)
    for candidate in (folder, folder / "bundle"):
        if (candidate / MANIFEST).is_file():
            return candidate
    if (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} is a training without a model yet; expected its bundle/. Finish it with "
            "train --resume."
        )
    raise ModelError(
        f'model "{source}" is neither shipped ({", ".join(shipped_models()) or "none"}) nor '
        f"a folder with a {MANIFEST}. Check the name or the path."
    )


def verify(folder: Path) -> str:
    """Check every file of a bundle against its manifest.

    Returns
    -------
    str
        SHA-256 of the manifest itself.

    Raises
    ------
    ModelError
        If a file is missing or changed, or the manifest is damaged or of another schema.
    """
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        found = manifest.get("schema") if isinstance(manifest, dict) else type(manifest).__name__
        raise ModelError(
            f"{folder} has bundle schema {found!r}; expected {SCHEMA!r}. "
            f"Use the spinexplain version it was made with, or train it again."
        )
    try:
        listed = ManifestDescription.model_validate(manifest).sha256
    except ValidationError as error:
        raise ModelError(
            f"{folder / MANIFEST} is damaged ({error.errors()[0]['msg']}); expected the SHA-256 of "
            "every file. Copy the bundle again."
        ) from None
    if missing := {"bundle.json", "model.safetensors"} - set(listed):
        raise ModelError(f"{folder}: the manifest does not list {sorted(missing)}. Copy it again.")
    for name, expected in listed.items():
        _verify_file(folder, name, expected)
    return sha256_file(folder / MANIFEST)


def _verify_file(folder: Path, name: str, expected: str) -> None:
    path = folder / Path(name).name
    if not path.is_file():
        raise ModelError(f"{folder} has no {name}; the manifest lists it. Copy it again.")
    found = sha256_file(path)
    if found != expected:
        raise ModelError(
            f"{path} has changed: SHA-256 is {found[:12]}..., the manifest says "
            f"{expected[:12]}.... Copy the bundle again."
        )


def write_manifest(folder: Path) -> None:
    """Write the SHA-256 of every other file of a bundle into its manifest."""
    files = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    hashes = {path.name: sha256_file(path) for path in files if path.name != MANIFEST}
    write_json(folder / MANIFEST, {"schema": SCHEMA, "sha256": hashes})


def read_description(folder: Path) -> BundleDescription:
    """Read and check ``bundle.json``.

    Raises
    ------
    ModelError, pydantic.ValidationError
        If it is no JSON, or says something else than a description does.
    """
    return BundleDescription.model_validate(read_json(folder / "bundle.json"))


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, the same bytes for the same content."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises
    ------
    ModelError
        If it cannot be read as that.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({error}). Copy it again.") from None
