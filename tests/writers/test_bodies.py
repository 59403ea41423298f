import pytest

from writers import bodies


@pytest.fixture
def found():
    def row(scan, dice, true, given, painted):
        return {
            "scan": scan,
            "level": "L1",
            "dice": dice,
            "dice_box": 0.7,
            "loss_true": true,
            "loss_given": given,
            "loss_painted": painted,
            "interval_painted": None if painted is None else [painted - 0.05, painted + 0.05],
            "doubt": "",
        }

    return {
        "presets": ["hard"],
        "subjects": 2,
        "phantoms": [
            row("hard 0", 0.9, 0.20, 0.22, 0.26),
            row("hard 0", 0.8, 0.00, 0.02, 0.00),
            row("hard 1", 0.4, 0.30, 0.30, None),
        ],
        "real": [row("lumbar", 0.92, None, 0.05, 0.10)],
        "suspected": [
            {"scan": "lumbar", "level": "L1", "added": True},
            {"scan": "lumbar", "level": "L2", "added": False},
        ],
    }


def test_overlap_counts_all_bodies_and_how_many_were_measured(found):
    row = bodies.overlap(found).splitlines()[2]
    assert row == "| phantoms, hard | 3 | 0.700 | 0.480 | 0.700 | 67% |"


def test_losses_in_points_beside_the_constant_and_the_truth(found):
    phantom, real = bodies.losses(found).splitlines()[2:]
    # |0.04|, |-0.02|; given 0.22, 0.02; against truth 0.02, 0.02 and 0.06, 0; one of two inside.
    assert phantom == "| phantoms, hard | 2 | 3.0 | 12.0 | 2.0 | 3.0 | 50% |"
    assert real == "| real CT, lumbar | 1 | 5.0 | 5.0 | – | – | – |"


def test_suspicions_that_the_painted_mask_adds_are_named(found):
    assert "Of 2 real vertebrae" in bodies.added(found)
    assert "to 1 (lumbar L1)" in bodies.added(found)
