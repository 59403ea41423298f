import pytest

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.data.phantom.wide.scan import wide_scan


@pytest.fixture(scope="session")
def people():
    return [draw_wide_person("wide", 5, k) for k in range(8)]


@pytest.fixture(scope="session")
def coarse():
    """Return one whole person at 6 mm."""
    return wide_scan("wide", 5, 3, spacing_mm=6.0)
