from spinexplain.reproduce.transfer import simulated


def simulated_row(level, called, fractures, **more):
    scores = None if called is None else [float(called == "G0"), float(called != "G0"), 0.0]
    said = {"reason": "" if called else "cut", "at": 0, "file": str(fractures), **more}
    return {"source": "lumbar", "level": level, "called": called, "scores": scores} | {
        "fractures": fractures,
        **said,
    }


def test_simulated_fractures_are_counted_with_their_neighbors():
    g2 = [["L2", "wedge", 0.3, 1]]
    pair = [["L3", "crush", 0.55, 1], ["L2", "crush", 0.55, 1]]
    rows = [
        *(simulated_row(level, "G0", []) for level in ("L1", "L2", "L3")),
        simulated_row("L1", "G2", g2),
        simulated_row("L2", "G2", g2),
        simulated_row("L3", "G0", g2),
        simulated_row("L2", "G3", pair),
        simulated_row("L3", "G0", pair),
    ]
    found = simulated.figures([{**r, "loss": 0} for r in rows])
    assert found["found"]["G2"]["hits"] == found["found"]["G2"]["n"] == 1
    assert (found["neighbors_kept"]["hits"], found["neighbors_kept"]["n"]) == (1, 2)
    assert found["adjacent"]["rows"] == [{"loss": 0.55, "both": 0, "scans": 1}]
    assert [missed["level"] for missed in found["adjacent"]["missed"]] == ["L3"]
