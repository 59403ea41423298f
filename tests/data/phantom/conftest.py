from dataclasses import replace

import pytest

from spinexplain.data.phantom.presets import Preset, Shortcut, load_preset
from spinexplain.data.phantom.scan import PhantomScan, make_subject


@pytest.fixture(scope="session")
def demo_scan() -> PhantomScan:
    """The demo preset's first subject with its healthy twin: T9 and L2 moderate, T12 severe."""
    return make_subject("demo", seed=3, subject_index=0, twin=True)


@pytest.fixture(scope="session")
def marking() -> Preset:
    """Every fractured vertebra has a mark, no other: T12 severe, L2 moderate; a narrow scan."""
    demo = load_preset("demo")
    sides = {"half_width_mm": (36.0, 36.0), "front_mm": (46.0, 46.0), "behind_mm": (30.0, 30.0)}
    field = replace(demo.field, spans=("T11-L3",), margin_mm=(30.0, 30.0), **sides)
    fractures = replace(demo.fractures, plan=(("T12", 3), ("L2", 2)))
    return replace(demo, shortcut=Shortcut(1.0, 0.0), field=field, fractures=fractures)


@pytest.fixture(scope="session")
def marked_scan(marking) -> PhantomScan:
    """A person with planted marks, and the same without."""
    return make_subject(marking, seed=3, subject_index=0, unmarked=True)
