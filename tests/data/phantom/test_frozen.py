"""Presets are frozen: what was trained and reported on them must mean the same forever."""

import hashlib
import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from spinexplain.data.phantom.presets import load_preset, preset_names
from spinexplain.data.phantom.sheets import PhantomSheet, phantom_sheets
from spinexplain.data.phantom.wide.scan import wide_scan

PINNED = json.loads((Path(__file__).parent / "frozen.json").read_text(encoding="utf-8"))
SEED, SHEETS = 20, 3
WIDE, WIDE_MM = ("wide", "wide-test", "wide-2", "wide-test-2"), 10.0
ADVICE = (
    "Presets are frozen: models are trained and reported on them by name. Do not store new "
    "figures here. Give the changed preset a NEW NAME (a new TOML, new keys that are off by "
    "default), draw random numbers of new anatomy from streams of their own, and leave what "
    "this preset draws bit-identical."
)


def arithmetic() -> str:
    """Fingerprint the elementary functions: another NumPy or CPU may round them differently."""
    x = np.linspace(0.1, 9.0, 999)
    parts = [f(x.astype(kind)) for f in (np.sin, np.exp, np.cbrt, np.tanh, np.log) for kind in "fd"]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def rounds_as_pinned(name: str) -> bool:
    """Whether this machine rounds as that on which a preset was pinned."""
    others = PINNED.get("arithmetic_of", {})
    return arithmetic() == others.get(name, PINNED["arithmetic"])


def digest(sheet: PhantomSheet) -> str:
    made = hashlib.sha256(f"{sheet.level} {sheet.grade} {sheet.shape}".encode())
    twin = sheet.hu if sheet.twin_hu is None else sheet.twin_hu
    for array in (sheet.hu, twin, sheet.body, sheet.evidence, sheet.shortcut, sheet.labels):
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()


def figures(sheet: PhantomSheet) -> dict[str, object]:
    return {
        "level": sheet.level,
        "grade": sheet.grade,
        "loss": round(float(sheet.loss), 3),
        "hu_mean": round(float(sheet.hu.mean()), 2),
        "hu_sd": round(float(sheet.hu.std()), 2),
        "body_pixels": int(sheet.body.sum()),
        "evidence_pixels": int(sheet.evidence.sum()),
    }


def wide_digest(scan):
    made = hashlib.sha256(scan.volume.array.tobytes())
    made.update(scan.body.array.tobytes())
    made.update(np.concatenate(list(scan.centers_mm.values())).round(3).tobytes())
    return made.hexdigest()


def wide_figures(scan):
    return {
        "levels": list(scan.centers_mm),
        "hu_mean": round(float(scan.volume.array.mean()), 2),
        "body_voxels": int((scan.body.array > 0).sum()),
        "l3_mm": [round(float(c), 2) for c in scan.centers_mm["L3"]],
    }


def toml_sha256(name: str) -> str:
    path = resources.files("spinexplain.data.phantom") / "presets" / f"{name}.toml"
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def pins() -> dict[str, object]:
    """Return what ``frozen.json`` holds; written once, by hand, when a preset is new."""
    wide = {name: wide_scan(name, SEED, 0, WIDE_MM) for name in WIDE}
    made = {name: list(phantom_sheets(name, SEED, SHEETS, twins=True)) for name in preset_names()}
    return {
        "arithmetic": arithmetic(),
        "toml": {name: toml_sha256(name) for name in preset_names()},
        "sheets": {name: [digest(s) for s in sheets] for name, sheets in made.items()},
        "figures": {name: [figures(s) for s in sheets] for name, sheets in made.items()},
        "wide_scans": {name: wide_digest(scan) for name, scan in wide.items()},
        "wide_figures": {name: wide_figures(scan) for name, scan in wide.items()},
    }


@pytest.fixture(scope="module", params=sorted(PINNED["toml"]))
def drawn(request):
    return request.param, list(phantom_sheets(request.param, SEED, SHEETS, twins=True))


def test_every_preset_is_pinned():
    assert set(preset_names()) == set(PINNED["toml"]), "Pin a new preset in frozen.json; keep all."


@pytest.mark.parametrize("name", sorted(PINNED["toml"]))
def test_preset_files_are_frozen(name):
    assert toml_sha256(name) == PINNED["toml"][name], f"presets/{name}.toml changed. {ADVICE}"
    assert load_preset(name).name == name


def test_sheets_are_frozen_bit_by_bit(drawn):
    name, sheets = drawn
    if not rounds_as_pinned(name):
        pytest.skip("this NumPy or CPU rounds sin, exp, ... differently; figures are compared")
    found = [digest(sheet) for sheet in sheets]
    assert found == PINNED["sheets"][name], f"sheets of {name!r} changed. {ADVICE}"


def test_sheets_are_frozen_on_any_machine(drawn):
    name, sheets = drawn
    for sheet, pinned in zip(sheets, PINNED["figures"][name], strict=True):
        found = figures(sheet)
        planted = {key: found[key] for key in ("level", "grade", "loss")}
        assert planted == {key: pinned[key] for key in planted}, f"{name!r}: {ADVICE}"
        for key, slack in (("hu_mean", 0.1), ("hu_sd", 0.1), ("body_pixels", 3)):
            assert found[key] == pytest.approx(pinned[key], abs=slack), f"{name!r}: {key}. {ADVICE}"
        evidence = pytest.approx(pinned["evidence_pixels"], abs=3)
        assert found["evidence_pixels"] == evidence, f"{name!r}: {ADVICE}"


@pytest.mark.parametrize("name", WIDE)
def test_wide_scans_are_frozen(name):
    scan = wide_scan(name, SEED, 0, WIDE_MM)
    found, pinned = wide_figures(scan), PINNED["wide_figures"][name]
    assert found["levels"] == pinned["levels"], ADVICE
    for key, slack in (("l3_mm", 0.02), ("hu_mean", 0.5), ("body_voxels", 5)):
        assert found[key] == pytest.approx(pinned[key], abs=slack), f"{name!r}: {key}. {ADVICE}"
    if rounds_as_pinned(name):
        assert wide_digest(scan) == PINNED["wide_scans"][name], ADVICE
