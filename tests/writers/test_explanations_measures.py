"""Further measures stand with their opponents, and what is no better is said first."""

from writers.explanations_measures import MEASURES, best_blind, measures


def figure(value, spread=0.02):
    return {"value": value, "low": value - spread, "high": value + spread}


def content(energy=0.1, warns=0.8):
    row = {
        "model": "m",
        "explainer": "prototypes",
        "placement": {"endplate": figure(0.9)},
        "localization": {**dict.fromkeys(MEASURES, figure(0.5)), "energy_inside": figure(energy)},
        "regions": {"body": {"top_share": 0.4}},
        "usefulness": {
            "error_auc": figure(warns),
            "confidence_auc": figure(0.9),
            "equally_convincing": 0.25,
            "false_alarms": 8,
        },
    }
    priors = [{"localization": dict.fromkeys(MEASURES, figure(value))} for value in (0.2, 0.3)]
    steady = {"consistency": 0.0, "stability": 0.9, "purity": 0.7}
    return {"rows": [row], "benches": {"b": {"priors": priors}}, "prototypes": {"m": steady}}


def test_what_is_no_better_than_its_cheap_opponent_stands_before_the_table():
    first = measures([content()], {})[0]
    assert "energy on the evidence 0.10 (0.08 to 0.12) against 0.30 (0.28 to 0.32)" in first
    assert "warning of false alarms 0.80 (0.78 to 0.82) against 0.90" in first
    assert measures([content(energy=0.5, warns=0.95)], {})[0] == ""


def test_every_map_has_a_row_and_the_best_blind_map_is_the_last():
    lines = measures([content()], {"m": "a model"})
    mine, blind = (
        next(line for line in lines if line.startswith(f"| {one} ")) for one in ("a", "no")
    )
    assert mine.split(" | ")[6:] == ["0.40", "0.80 (0.78 to 0.82); (0.90)", "0.25 of 8 |"]
    assert blind.split(" | ")[2] == "0.30 (0.28 to 0.32)"
    assert lines[-1] == "* a model: consistency 0.00, stability 0.90, purity 0.70."
    assert best_blind([{"benches": {}}]) == {}
