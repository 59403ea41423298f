import json

import pytest

from spinexplain.errors import ModelError
from spinexplain.localizer.naming import STATES, NamingPrior
from spinexplain.localizer.prior import read_prior, write_prior


def test_a_prior_comes_back_as_it_was_written(tmp_path):
    gaps = tuple(15.0 + k for k in range(len(STATES)))
    prior = NamingPrior(gaps, gap_spread=0.2, l6=0.08)
    write_prior(tmp_path / "naming.json", prior)
    assert read_prior(tmp_path / "naming.json") == prior


@pytest.mark.parametrize("text", ["", "[1]", json.dumps({"gap_mm": {"C1": 3.0}}), "{}"])
def test_a_broken_prior_is_refused_in_words(tmp_path, text):
    path = tmp_path / "naming.json"
    path.write_text(text)
    with pytest.raises(ModelError, match="Install the package again"):
        read_prior(path)
