"""What a phantom is drawn from: ranges and shares, read from ``presets/*.toml``."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from importlib import resources
from typing import Any

from spinexplain.errors import ConfigError

Range = tuple[float, float]


@dataclass(frozen=True)
class Geometry:
    """Sizes and curvature. Factors multiply the level's norm; shares are probabilities."""

    scale: Range = (0.82, 1.16)
    depth_to_height: Range = (0.9, 1.12)
    level_jitter: float = 0.025
    wedge: Range = (-0.06, 0.07)
    upper_wedge: Range = (-0.02, 0.14)
    l5_wedge: Range = (-0.12, 0.12)
    mild_loss: Range = (0.0, 0.16)
    mild_loss_share: float = 0.3
    disc: Range = (0.55, 1.35)
    narrowed_disc: float = 0.12
    kyphosis: Range = (0.3, 1.4)
    lordosis: Range = (0.2, 1.7)
    flex_jitter_deg: float = 2.2
    tilt_deg: Range = (-13.0, 13.0)
    roll_deg: Range = (-4.0, 4.0)
    scoliosis_mm: Range = (0.0, 14.0)
    off_midline_mm: float = 2.5
    concavity: Range = (0.01, 0.085)
    waist_mm: Range = (0.2, 2.6)
    rounding_mm: Range = (0.5, 2.2)
    raised_rim: float = 0.35
    osteophyte: float = 0.3
    osteophyte_mm: Range = (0.8, 5.0)
    schmorl: float = 0.1
    schmorl_mm: Range = (1.5, 5.0)
    scheuermann: float = 0.03
    limbus: float = 0.02
    dish: float = 0.03
    block: float = 0.01
    cupid_bow: float = 0.1
    anomaly: float = 0.008


@dataclass(frozen=True)
class Bone:
    """Densities in HU, thicknesses in mm."""

    trabecular_hu: Range = (40.0, 260.0)
    texture_hu: Range = (5.0, 60.0)
    cortex_hu: Range = (350.0, 1300.0)
    cortex_mm: Range = (0.2, 1.3)
    gaps: float = 0.4
    basivertebral: float = 0.8
    impaction_hu: Range = (0.0, 220.0)
    impaction_fractured: float = 0.75
    impaction_normal: float = 0.06
    sclerosis: float = 0.08
    lesion: float = 0.03
    hemangioma: float = 0.03


@dataclass(frozen=True)
class Around:
    """Everything that is not bone, HU."""

    soft_hu: Range = (25.0, 70.0)
    fat_hu: Range = (-120.0, -60.0)
    lung_hu: Range = (-900.0, -700.0)
    lung_midline: float = 0.6
    vessel_hu: Range = (20.0, 480.0)
    vessel_calcified: float = 0.33
    vessel_midline: float = 0.65
    sac_hu: Range = (0.0, 50.0)
    myelography: float = 0.06
    vacuum: float = 0.1
    bowel: float = 0.7
    table: float = 0.5
    hardware: float = 0.0


@dataclass(frozen=True)
class Scanner:
    """The imaging chain; sigma in mm, noise in HU."""

    psf_mm: Range = (0.35, 0.95)
    slice_mm: Range = (0.3, 1.3)
    noise_hu: Range = (4.0, 75.0)
    noise_color: Range = (0.3, 1.1)
    sharpen: float = 0.33
    sharpen_gain: Range = (0.3, 1.6)
    streaks: float = 0.07
    coarse: float = 0.3
    coarse_mm: Range = (1.3, 3.2)
    coarse_both: float = 0.4
    gain: float = 0.07
    offset_hu: float = 20.0
    edge: float = 0.3


@dataclass(frozen=True)
class Fractures:
    """How often, how much and in which form vertebrae are fractured."""

    target: tuple[float, float, float, float] = (0.45, 0.1, 0.22, 0.23)
    neighbor: float = 0.12
    shapes: tuple[float, float, float, float] = (0.36, 0.32, 0.22, 0.10)
    loss_1: Range = (0.205, 0.245)
    loss_2: Range = (0.27, 0.385)
    loss_3: Range = (0.43, 0.65)
    roughness: Range = (0.2, 0.9)
    bulge_mm: Range = (0.0, 2.2)
    kyphosis_share: Range = (0.0, 0.45)
    breach: float = 0.35
    lateral: Range = (-0.45, 0.45)
    cleft: float = 0.06
    retropulsion: float = 0.15
    plana: float = 0.03
    plan: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Sites:
    """Where fractures strike. Without ``endplates`` the shape decides, as in the first presets.

    Parameters
    ----------
    endplates : tuple of 3 floats
        Shares of fractures of the superior, the inferior and both endplates.
    thirds : tuple of 4 floats
        Shares of anterior, middle, posterior losses and of losses over the whole depth.
    one_sided : float
        Share that sinks more on one side, as often left as right.
    lean : Range
        By how much, relative to the middle.
    telling : float
        Share in which the broken endplate shows: an impaction band under it, a step in it,
        walls buckled beside it.
    band_hu : Range
        Density of that band.
    evidence_share : float
        Endplates that moved by less than this share of the most are no evidence: an image
        does not show them.
    """

    endplates: tuple[float, float, float] = (0.0, 0.0, 0.0)
    thirds: tuple[float, float, float, float] = (1.0, 1.0, 0.0, 0.0)
    one_sided: float = 0.0
    lean: Range = (0.5, 0.85)
    telling: float = 0.0
    band_hu: Range = (60.0, 320.0)
    evidence_share: float = 0.2


@dataclass(frozen=True)
class Shortcut:
    """A planted mark that betrays the grade without being anatomy.

    ``away_mm`` is how far its center lies in front of the front wall.
    """

    share_fractured: float = 0.0
    share_normal: float = 0.0
    size_mm: Range = (5.0, 9.0)
    hu: Range = (900.0, 1800.0)
    away_mm: float = dataclass_field(default=14.0, repr=False)


@dataclass(frozen=True)
class Field:
    """What part of the body whole scans show, on which grid."""

    spans: tuple[str, ...] = ("T1-L1", "T5-L2", "T8-L4", "T11-S1", "T6-S1", "C7-S1")
    margin_mm: Range = (4.0, 30.0)
    half_width_mm: Range = (38.0, 75.0)
    front_mm: Range = (35.0, 95.0)
    behind_mm: Range = (60.0, 95.0)
    spacing_mm: Range = (0.6, 1.2)
    slice_mm: Range = (1.0, 3.0)
    slicing: tuple[float, float, float] = (0.4, 0.35, 0.25)
    axes: tuple[str, ...] = ("RAS", "LPS", "PIR", "LAS", "ASR", "IPL", "SRP")
    wide: float = 0.03
    oblique: float = 0.1
    oblique_deg: Range = (3.0, 15.0)
    gantry: float = 0.06
    gantry_deg: Range = (4.0, 22.0)


@dataclass(frozen=True)
class Patient:
    """Who is scanned. Like ``Field`` for whole scans only: sheets do not read it."""

    female: float = 0.6
    t13: float = 0.0
    l6: float = 0.0
    hollow_mm: Range = (0.5, 3.0)
    bridging: float = 0.04
    arms: float = 0.12
    arm_streak_hu: Range = (10.0, 45.0)


@dataclass(frozen=True)
class Wide:
    """What only wide fields of view show; shares are probabilities.

    Parameters
    ----------
    phases : tuple of 4 floats
        Shares of scans without contrast medium, in its arterial, portal and late phase.
    oral, sacralized, construct, arms_raised : float
        Shares with contrast medium by mouth, with a sacralized lowest lumbar level, with
        screws, cement or cages in the spine, with the arms beside the head.
    no_last_rib, lumbar_rib : float
        Shares without ribs at the lowest thoracic level, with ribs at L1.
    thick : float
        Share of scans with thick slices.
    thick_mm : Range
        How thick.
    cropped : float
        Share of scans that show a part of the person.
    lean_deg : float
        Standard deviation of the lean of the line from S1 to T1.
    keeps_length : bool
        Whether a scoliosis turns bodies into its curve; else it shifts them sideways only, so
        that they lie too far apart where it is steep.
    """

    phases: tuple[float, float, float, float] = (0.45, 0.15, 0.3, 0.1)
    oral: float = 0.3
    sacralized: float = 0.0
    construct: float = 0.0
    arms_raised: float = 0.75
    no_last_rib: float = 0.03
    lumbar_rib: float = 0.03
    thick: float = 0.35
    thick_mm: Range = (2.5, 6.0)
    cropped: float = 0.85
    lean_deg: float = 4.5
    keeps_length: bool = dataclass_field(default=False, repr=False)


@dataclass(frozen=True)
class Preset:
    """One named way of drawing phantoms.

    Examples
    --------
    >>> load_preset("balanced").fractures.neighbor
    0.12
    """

    name: str
    geometry: Geometry = dataclass_field(default_factory=Geometry)
    bone: Bone = dataclass_field(default_factory=Bone)
    around: Around = dataclass_field(default_factory=Around)
    scanner: Scanner = dataclass_field(default_factory=Scanner)
    fractures: Fractures = dataclass_field(default_factory=Fractures)
    shortcut: Shortcut = dataclass_field(default_factory=Shortcut)
    field: Field = dataclass_field(default_factory=Field)
    patient: Patient = dataclass_field(default_factory=Patient)
    sites: Sites = dataclass_field(default_factory=Sites, repr=False)
    wide: Wide = dataclass_field(default_factory=Wide, repr=False)

    @property
    def is_wide(self) -> bool:
        """Whether whole scans show the person around the spine: a section ``[wide]``."""
        return self.wide != Wide()


_SECTIONS: dict[str, type] = {
    "geometry": Geometry,
    "bone": Bone,
    "around": Around,
    "scanner": Scanner,
    "fractures": Fractures,
    "shortcut": Shortcut,
    "field": Field,
    "patient": Patient,
    "sites": Sites,
    "wide": Wide,
}


def preset_names() -> tuple[str, ...]:
    """Return the names of the shipped presets, sorted."""
    folder = resources.files("spinexplain.data.phantom") / "presets"
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    )


def load_preset(name: str) -> Preset:
    """Read a shipped preset.

    Raises
    ------
    ConfigError
        If there is no such preset, or it names an unknown section or key.
    """
    if name not in preset_names():
        raise ConfigError(
            f"preset {name!r} does not exist; expected one of {', '.join(preset_names())}."
        )
    path = resources.files("spinexplain.data.phantom") / "presets" / f"{name}.toml"
    return parse_preset(name, tomllib.loads(path.read_text(encoding="utf-8")))


def preset_hash(name: str) -> str:
    """Return the SHA-256 of a preset with every default filled in.

    Two phantoms with the same hash, seed and index were drawn from the same ranges. Sections
    that came later count only where a preset uses them, so that earlier hashes stay.
    """
    preset = load_preset(name)
    later = "" if preset.sites == Sites() else repr(preset.sites)
    later += "" if preset.wide == Wide() else repr(preset.wide)
    later += "keeps_length" if preset.wide.keeps_length else ""
    away_mm = preset.shortcut.away_mm
    later += "" if away_mm == Shortcut().away_mm else f"away_mm={away_mm!r}"
    return hashlib.sha256((repr(preset) + later).encode()).hexdigest()


def parse_preset(name: str, settings: dict[str, Any]) -> Preset:
    """Build a preset from the sections of a TOML file; what is absent keeps its default.

    Examples
    --------
    >>> parse_preset("mine", {"scanner": {"noise_hu": [5, 9]}}).scanner.noise_hu
    (5.0, 9.0)
    """
    unknown = sorted(set(settings) - set(_SECTIONS))
    if unknown:
        raise ConfigError(
            f"preset {name!r} has the unknown section {unknown[0]!r}; "
            f"expected {', '.join(_SECTIONS)}."
        )
    parts = {key: _section(name, key, value) for key, value in settings.items()}
    return Preset(name=name, **parts)


def _section(name: str, section: str, values: dict[str, Any]) -> Any:
    cls = _SECTIONS[section]
    known = {f.name for f in fields(cls)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            f"preset {name!r}, section {section!r}: unknown key {unknown[0]!r}; "
            f"expected one of {', '.join(sorted(known))}."
        )
    return cls(**{key: _number(value) for key, value in values.items()})


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((str(level), int(grade)) for level, grade in value.items())
    if isinstance(value, list):
        return tuple(_number(x) for x in value)
    return value if isinstance(value, str | bool) else float(value)
