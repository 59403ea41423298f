from PIL import Image

from spinexplain.experiment.stored import find_results
from spinexplain.experiment.tables import make_tables
from spinexplain.report.paper_figures import draw_figures


def test_every_result_has_its_pictures(stored, tmp_path):
    entries = [stored.entry("a"), stored.entry("b", prototypes=stored.prototypes)]
    ablated = [stored.entry(name) for name in stored.ablation["settings"]]
    stored.write(
        tmp_path / "in",
        cv=stored.crossval(entries),
        ab=stored.crossval(ablated, factors=stored.ablation),
    )
    found = find_results(tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    names = draw_figures(found, make_tables(found), out)
    assert set(names) == {
        "protoverse-figure3-b.png",
        "differences.png",
        "protoverse-figure7.png",
        "protoverse-table2.png",
        "protoverse-table3-b.png",
        "protoverse-table6.png",
    }
    for name in names:
        with Image.open(out / name) as picture:
            assert picture.width > 300
