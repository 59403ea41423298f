"""Vertebra masks from external tools, each in its own environment, stored by CT and tool."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from spinexplain.errors import LocalizerError, SpinexplainError
from spinexplain.io.files import output_folder
from spinexplain.io.nifti import write_nifti
from spinexplain.io.read import is_dicom, read_body, read_mask, read_scan, scan_sha256
from spinexplain.spine.localizer_config import LocalizerTemplate, localizer_named, read_localizers
from spinexplain.spine.subprocesses import Finished, Note, run_program
from spinexplain.types import Volume

HOUR_S = 3600.0
_RECORD = "localized.json"
_QUOTED_LINES = 6
_SUFFIXES = (".nii", ".gz", ".json")
_SCHEMA = "spinexplain/localized/1"
# These would make the tool import this program's packages instead of its own.
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Localized:
    """What an external tool found in a CT; files in the cache.

    Parameters
    ----------
    labels : Path
        Vertebra mask in the tool's own numbers.
    centroids : Path or None
        Vertebra centers, where the tool writes them.
    scheme : str
        Whose numbers ``labels`` has, for :func:`spinexplain.io.read.read_mask`.
    body : Path or None
        Mask of the vertebral bodies, where the tool writes one.
    body_scheme : str or None
        For :func:`spinexplain.io.read.read_body`.
    localizer, version : str
        The tool.
    from_cache : bool
        Whether it was found instead of made.
    """

    labels: Path
    centroids: Path | None
    scheme: str
    body: Path | None
    body_scheme: str | None
    localizer: str
    version: str
    from_cache: bool


def run_localizer(
    localizer: str | LocalizerTemplate,
    ct_path: Path | str,
    cache_dir: Path | str,
    *,
    timeout_s: float = 2 * HOUR_S,
    note: Note | None = None,
    series: str | None = None,
    config: Path | str | None = None,
    volume: Volume | None = None,
) -> Localized:
    """Let an external tool find the vertebrae of a CT, or return what it found before.

    Parameters
    ----------
    localizer : str or LocalizerTemplate
        Name of a built-in tool or of one in ``config``, or how to call it.
    ct_path : path
        NIfTI, or DICOM folder or zip (converted for the tool).
    cache_dir : path
        Results are kept here, by hash of the CT, tool, version and command.
    timeout_s : float
        Seconds until the tool and its children are killed.
    note : callable, optional
        Called with each line that the tool prints.
    series : str, optional
        Which DICOM series.
    config : path, optional
        TOML file with ``[localizers.NAME]`` sections.
    volume : Volume, optional
        The CT where it has been read already.

    Returns
    -------
    Localized

    Raises
    ------
    ConfigError
        If the tool is unknown.
    LocalizerError
        If the program is not found, fails (the end of what it printed is quoted), hangs,
        or writes no usable mask. Nothing is stored then.
    """
    ct_path = Path(ct_path)
    tool = _resolved(localizer, config)
    if volume is None and is_dicom(ct_path):
        volume = read_scan(ct_path, series)
    ct_hash = scan_sha256(ct_path, volume)
    folder = Path(cache_dir) / tool.name / _key(ct_hash, tool)
    if (stored := _stored(folder, tool)) is not None:
        return stored
    _sweep(folder.parent, timeout_s)
    with output_folder(folder, force=True) as temporary:
        work = temporary / "work"
        (work / "out").mkdir(parents=True)
        ct = _place_ct(ct_path, volume, work)
        finished = _run(tool, ct, work / "out", timeout_s, note)
        _keep_outputs(tool, work / "out", temporary, finished)
        shutil.rmtree(work)
    stored = _stored(folder, tool)
    assert stored is not None
    return replace(stored, from_cache=False)


@dataclass(frozen=True)
class _Tool:
    """A template whose program was found."""

    name: str
    template: LocalizerTemplate
    program: str
    version: str


def _resolved(localizer: str | LocalizerTemplate, config: Path | str | None) -> _Tool:
    if isinstance(localizer, LocalizerTemplate):
        name, template = Path(localizer.command[0]).name, localizer
    else:
        name, template = localizer, localizer_named(localizer, read_localizers(config))
    program = shutil.which(template.command[0])
    if program is None:
        raise LocalizerError(
            f"localizer {name}: the program {template.command[0]!r} was not found on the PATH. "
            f"{template.install}"
        )
    safe_name = re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "localizer"
    return _Tool(safe_name, template, program, template.version or _version(template, program))


def _version(template: LocalizerTemplate, program: str) -> str:
    """Read the installed version beside the program; asking the tool takes seconds."""
    home = Path(program).resolve()
    for folder in home.parent.parent.glob("lib/python*/site-packages/*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        if template.distribution and _plain(name) == _plain(template.distribution):
            return version
    return f"of {int(home.stat().st_mtime)}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _key(ct_hash: str, tool: _Tool) -> str:
    described = [_SCHEMA, ct_hash, tool.version, tool.template.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:32]


def _stored(folder: Path, tool: _Tool) -> Localized | None:
    """Return a complete result of the cache, or None."""
    try:
        names = json.loads((folder / _RECORD).read_text("utf-8"))
        files = {key: folder / name if name else None for key, name in names.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    labels = files.get("labels")
    if labels is None or not all(path is None or path.is_file() for path in files.values()):
        return None
    return Localized(
        labels=labels,
        centroids=files.get("centroids"),
        scheme=tool.template.scheme,
        body=files.get("body"),
        body_scheme=tool.template.body_scheme,
        localizer=tool.name,
        version=tool.version,
        from_cache=True,
    )


def _sweep(folder: Path, timeout_s: float) -> None:
    """Remove what killed runs left behind: copies of scans do not stay for ever."""
    for left in folder.glob(".*") if folder.is_dir() else ():
        if time.time() - left.stat().st_mtime > timeout_s + HOUR_S:
            shutil.rmtree(left, ignore_errors=True)


def _place_ct(ct_path: Path, volume: Volume | None, work: Path) -> Path:
    """Put the CT under a plain name, so that no file name reaches the tool."""
    if volume is not None and is_dicom(ct_path):
        write_nifti(work / "ct.nii", volume.array, volume.affine)
        return work / "ct.nii"
    with ct_path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    ct = work / ("ct.nii.gz" if packed else "ct.nii")
    try:
        ct.symlink_to(ct_path.resolve())
    except OSError:  # file systems without links
        shutil.copyfile(ct_path, ct)
    return ct


def _run(tool: _Tool, ct: Path, out: Path, timeout_s: float, note: Note | None) -> Finished:
    words = [
        word.replace("{ct}", str(ct)).replace("{out}", str(out))
        for word in tool.template.command[1:]
    ]
    # A program of another environment inherits everything but the paths of this one.
    inherited = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
    finished = run_program([tool.program, *words], out.parent, inherited, timeout_s, note)
    if finished.code != 0:
        raise LocalizerError(
            f"localizer {tool.name} failed (exit code {finished.code}): {_quoted(finished)}. "
            "Run it by hand to see more, or give a mask with --labels."
        )
    return finished


def _quoted(finished: Finished) -> str:
    return " | ".join(finished.tail[-_QUOTED_LINES:]) or "it printed nothing"


def _keep_outputs(tool: _Tool, out: Path, folder: Path, finished: Finished) -> None:
    """Copy the outputs that the template names, once they prove usable."""
    template = tool.template
    names: dict[str, str | None] = {}
    for role in ("labels", "centroids", "body"):
        pattern = template.output if role == "labels" else getattr(template, role)
        names[role] = _copied(tool, role, out, pattern, folder, finished) if pattern else None
    try:
        read_mask(folder / str(names["labels"]), template.scheme)
        if names["body"]:
            read_body(folder / names["body"], template.body_scheme)
    except SpinexplainError as error:
        raise LocalizerError(
            f"localizer {tool.name} wrote a mask that cannot be used: {error} It printed: "
            f"{_quoted(finished)}."
        ) from None
    (folder / _RECORD).write_text(json.dumps(names), "utf-8")


def _copied(
    tool: _Tool, role: str, out: Path, pattern: str, folder: Path, finished: Finished
) -> str:
    found = sorted(path for path in out.glob(pattern) if path.is_file())
    if len(found) != 1:
        raise LocalizerError(
            f"localizer {tool.name} wrote {len(found)} files named {pattern}; expected one "
            f"({role}). It printed: {_quoted(finished)}."
        )
    name = role + "".join(part for part in found[0].suffixes[-2:] if part in _SUFFIXES)
    shutil.copyfile(found[0], folder / name)
    return name
