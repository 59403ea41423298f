import numpy as np
import pytest
from scipy.stats import nct
from scipy.stats import t as student

from spinexplain.study.power import Setting, cases_needed, power, power_curve, spread_of


def test_the_level_is_kept_without_a_difference():
    found = power(Setting(0.7, 0.7, readers=3, page_sd=1.0, reader_sd=0.5), 40, seed=1, runs=4000)
    assert found == pytest.approx(0.05, abs=0.02)


def test_without_spread_it_is_the_power_of_a_paired_t_test():
    setting, cases = Setting(0.75, 0.6, readers=2, pieces=3), 30
    variance = (0.75 * 0.25 + 0.6 * 0.4) / (2 * 3)
    shift = 0.15 / np.sqrt(variance / cases)
    limit = student.ppf(0.975, cases - 1)
    expected = nct.sf(limit, cases - 1, shift) + nct.cdf(-limit, cases - 1, shift)
    assert power(setting, cases, seed=2, runs=4000) == pytest.approx(expected, abs=0.03)


def test_more_cases_more_power():
    curve = power_curve(Setting(0.8, 0.5), seed=0)
    assert curve[0][1] < curve[-1][1]
    assert curve[-1][1] > 0.99
    assert cases_needed(curve) in {cases for cases, _ in curve}


def test_spread():
    assert spread_of(0) == spread_of(float("nan")) == 0
    assert spread_of(0.9) > spread_of(0.3) > 0
