import re
import shutil

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.study.paper import paper_page, write_paper
from spinexplain.study.record import read_study


def test_a_page_shows_every_item_and_no_truth(made, made_study):
    study, key = made_study
    page = paper_page(made, study, 1, 1)
    assert page.count('<section class="item">') == len(study.items)
    assert re.findall(r"<h2>Page (\d+)", page) == [str(k + 1) for k in range(len(study.items))]
    for arm in key.arms.values():
        assert arm.model not in page
    assert "image-blind" not in page
    assert 'class="target"' in page
    assert "20 mm" in page


def test_paper_has_a_pdf_and_a_sheet_for_every_reader(made, made_study, tmp_path):
    pytest.importorskip("weasyprint")
    small = made_study[0].model_copy(
        update={
            "readers": tuple(
                plan.model_copy(update={"sessions": (plan.sessions[0][:2],)})
                for plan in made_study[0].readers[:1]
            )
        }
    )
    paths = write_paper(made, small, tmp_path)
    assert [path.name for path in paths] == ["reader-1.csv", "reader-1_session-1.pdf"]
    assert paths[1].read_bytes().startswith(b"%PDF")


def test_a_deleted_picture_is_named(made, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(made, folder)
    next((folder / "pictures").glob("*.png")).unlink()
    with pytest.raises(FileFormatError, match="answers that were given are kept"):
        write_paper(folder, read_study(folder), tmp_path)
