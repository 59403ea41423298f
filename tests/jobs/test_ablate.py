from pathlib import Path

import pytest

from spinexplain.errors import ConfigError
from spinexplain.jobs.ablate import AblateRequest, designed

OVER = ("prototypes=2,3", "lambda_div=0,0.3")


def test_each_factor_alone_or_all_crossed(tmp_path):
    alone = designed(AblateRequest(tmp_path, OVER, tmp_path))
    crossed = designed(AblateRequest(tmp_path, OVER, tmp_path, full_grid=True))
    assert len(alone.entries) < len(crossed.entries)
    assert len(crossed.entries) >= 4


def test_a_frozen_trunk_is_the_same_classifier_for_all():
    made = designed(AblateRequest(Path("c"), OVER, Path("o"), frozen_trunk=True))
    assert {entry.config.joint.steps for entry in made.entries} == {0}


def test_a_factor_without_values_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no values"):
        designed(AblateRequest(tmp_path, ("prototypes",), tmp_path))
