from types import SimpleNamespace

import pytest

from spinexplain.errors import FileFormatError, ModelError
from spinexplain.models.bundle.decision_file import DecidedModel, check_model, dumped, parsed

MODEL = DecidedModel(name="m", version="1", weights_sha256="a" * 64)


def test_what_is_written_is_read_with_or_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "model.json"
    for mark in ("", "\ufeff"):
        path.write_text(mark + dumped(MODEL), encoding="utf-8")
        assert parsed(path, DecidedModel, "a model", "there") == MODEL


@pytest.mark.parametrize(
    ("text", "named"),
    [("{", "holds no JSON"), ('{"name": "m"}', "version: Field required"), ("[]", "expected a m")],
)
def test_another_file_is_one_line_that_says_what_to_do(tmp_path, text, named):
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=named) as refused:
        parsed(path, DecidedModel, "a model", "there")
    assert str(refused.value).endswith("expected a model. Save them again there.")


def test_decisions_about_other_weights_are_refused(tmp_path):
    other = SimpleNamespace(name="m", version="2", weights_sha256="b" * 64)
    with pytest.raises(ModelError, match=r"m 1 \(aaaaaaaaaaaa\.\.\.\), not about m 2 .*Look there"):
        check_model(tmp_path, MODEL, other, "Look there")
    check_model(tmp_path, MODEL, SimpleNamespace(weights_sha256="a" * 64), "")
