"""Sites: shares are kept, a crush takes both endplates, losses lie where they were asked for."""

import numpy as np
import pytest

from spinexplain.data.phantom.presets import Sites, load_preset
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.data.phantom.sites import THIRDS, draw_site, is_placed, site_profile

EVEN = Sites(endplates=(1, 1, 0), thirds=(1, 1, 1, 0), one_sided=1.0, telling=0.5)


def drawn(sites, n=600):
    rng = np.random.default_rng(4)
    return [draw_site(rng, sites) for _ in range(n)]


def test_endplates_thirds_and_sides_are_drawn_in_their_shares():
    sites = drawn(EVEN)
    upper = np.array([site.upper_share for site in sites])
    assert np.mean(upper > 0.5) == pytest.approx(0.5, abs=0.07)
    assert np.all((upper >= 0.9) | (upper <= 0.1))
    lean = np.array([site.lean for site in sites])
    assert np.mean(lean > 0) == pytest.approx(0.5, abs=0.07)
    assert np.all(np.abs(lean) >= 0.5)
    counts = [sum(site.third == third for site in sites) for third in THIRDS]
    assert counts[3] == 0
    assert np.allclose(np.array(counts[:3]) / 600, 1 / 3, atol=0.07)
    assert np.mean([site.telling for site in sites]) == pytest.approx(0.5, abs=0.07)


def test_a_crush_takes_both_endplates():
    """Seen alone it does not show which endplate gave way, so neither may be the answer."""
    shares = [site.upper_share for site in drawn(Sites(endplates=(1, 0, 0), thirds=(0, 0, 0, 1)))]
    assert 0.35 < min(shares) < max(shares) < 0.65


@pytest.mark.parametrize("third", THIRDS)
def test_the_loss_is_largest_in_the_third_that_is_struck(third):
    rng = np.random.default_rng(0)
    for _ in range(50):
        site = next(s for s in drawn(Sites((1, 1, 1), (1, 1, 1, 1)), 60) if s.third == third)
        profile = dict(zip(THIRDS, site_profile(rng, site, 0.4), strict=False))
        assert max(profile.values()) == pytest.approx(0.4)
        if third != "whole":
            assert profile[third] == pytest.approx(0.4)
            assert sorted(profile.values())[1] <= 0.4 * 0.66


def test_earlier_presets_leave_the_site_to_the_shape():
    named = {
        name: is_placed(load_preset(name).sites) for name in ("balanced", "hard", "verse-like")
    }
    assert not any(named.values())
    assert is_placed(load_preset("placement").sites)


def test_a_placement_sheet_breaks_one_endplate():
    sheets = [s for s in phantom_sheets("placement", 3, 12) if s.grade]
    assert len(sheets) > 5
    for sheet in sheets:
        moved = np.array(sheet.displacement_mm).reshape(2, 6).sum(axis=1)
        assert moved.max() > 0.8 * moved.sum()
        broken = int(moved.argmax())
        plate = np.unique((sheet.part[sheet.evidence > 0] - 1) // 6)
        assert plate.tolist() == [broken]
