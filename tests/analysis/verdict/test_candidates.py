"""Every candidate rises with each witness, and hears what its name says."""

import numpy as np
import pandas as pd
import pytest

from spinexplain.analysis.verdict.candidates import (
    CANDIDATES,
    NOW,
    POSTERIOR,
    candidate_odds,
    loss_sds,
    network_candidates,
    posterior_candidate,
)
from spinexplain.analysis.verdict.fit import fit_weighing, lowered_odds

NAMES = ("one", "two", "three")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    grade = rng.choice([0, 0, 0, 1, 2, 3], 400)
    loss = 0.10 * grade + rng.normal(0, 0.04, 400)
    made = pd.DataFrame(
        {
            "subject": [f"s{i // 8}" for i in range(400)],
            "level": [f"L{1 + i % 5}" for i in range(400)],
            "grade": grade,
            "prototypes": 1.5 * grade - 2 + rng.normal(0, 1, 400),
            "prototypes_spread": 0.3,
            "prototypes_severe": 1.5 * grade - 4 + rng.normal(0, 1, 400),
            "heights": (loss - 0.225) / 0.07,
            "heights_broad": (loss - 0.225) / 0.06,
            "measured_loss": loss,
            POSTERIOR: (loss - 0.225) / 0.06 + rng.normal(0, 1, 400),
        }
    )
    for name in NAMES:
        made[name] = made["prototypes"] + rng.normal(0, 1, 400)
        made[f"{name}_spread"] = 0.3
    return made


ALL = CANDIDATES | network_candidates(NAMES) | posterior_candidate()


@pytest.mark.parametrize("name", ALL)
def test_it_rises_with_every_witness(table, name):
    before = candidate_odds(ALL[name], table, table)
    raised = ["prototypes", "prototypes_severe", "heights", "heights_broad", POSTERIOR, *NAMES]
    # the loss in its own units goes up with its units, so that its uncertainty stays
    more = table.assign(**{column: table[column] + 0.1 for column in raised})
    more["measured_loss"] = 0.225 + more["heights"] * 0.07
    assert (candidate_odds(ALL[name], table, more) >= before - 1e-9).all()


def test_as_it_is_is_what_ships(table):
    rows = table.assign(normal=False)
    shipped = fit_weighing(rows, ["prototypes", "heights_broad"])
    found = candidate_odds(CANDIDATES[NOW], table, table)
    np.testing.assert_allclose(found, lowered_odds(rows, shipped), atol=1e-6)


def test_the_uncertainty_is_found_in_the_units(table):
    np.testing.assert_allclose(loss_sds(table), 0.07, atol=1e-9)


def test_two_and_all_networks_are_tried():
    assert list(network_candidates(NAMES)) == [
        "mean of one and two",
        "own weights for one and two",
        "mean of one and three",
        "own weights for one and three",
        "mean of one and two and three",
        "own weights for one and two and three",
    ]
