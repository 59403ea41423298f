"""Questions from TOML, and answers as people and spreadsheets write them."""

import pytest

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.study.asking import Question, parse_answer, read_questions

YES_NO = Question(key="relevance", text="Relevant?", kind="yes_no", of="piece")
GRADE = Question(key="grade", text="Grade", kind="choice", options=("G0", "G2", "G3"))
SURE = Question(key="sure", text="How sure?", kind="scale", low=0, high=100)
FREE = Question(key="opinion", text="Opinion", kind="text")


@pytest.mark.parametrize("text", ["yes", "Yes ", "Y", "ja", "JA", "oui", "1", "1.0", "x", "WAHR"])
def test_yes_in_many_hands(text):
    assert parse_answer(YES_NO, text) == "yes"


@pytest.mark.parametrize("text", ["no", "N", "Nein", "0", "FALSCH", "false"])
def test_no_in_many_hands(text):
    assert parse_answer(YES_NO, text) == "no"


def test_numbers_options_and_nothing():
    assert parse_answer(SURE, "73,0") == 73
    assert parse_answer(GRADE, "g3") == "G3"
    assert parse_answer(FREE, " good ") == "good"
    assert [parse_answer(q, " – ") for q in (YES_NO, GRADE, SURE, FREE)] == [None] * 4


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (YES_NO, "maybe"),
        (SURE, "101"),
        (SURE, "3,5"),
        (SURE, "nan"),
        (GRADE, "G1"),
        (FREE, "x" * 2001),
    ],
)
def test_what_is_no_answer_is_refused(question, text):
    with pytest.raises(ValueError, match="no answer"):
        parse_answer(question, text)


def test_the_built_in_questions_ask_what_the_paper_asks():
    keys = {
        name: [q.key for q in read_questions(name)] for name in ("evidence", "reading", "units")
    }
    assert keys["evidence"][:2] == ["relevance", "similarity"]
    assert {"grade", "suspicion"} <= set(keys["reading"])
    assert {"name", "meaningful", "place"} <= set(keys["units"])
    assert read_questions("reading")[0].ordered


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("[[question]]\nkey=", FileFormatError, "is no TOML"),
        ("", ConfigError, "holds nothing"),
        ('[[question]]\nkey="a"\ntext="b"\nkind="maybe"', ConfigError, "question 1: kind"),
        ('[[question]]\nkey="a"\ntext="b"\nkind="choice"', ConfigError, "two different options"),
        ('[[question]]\nkey="a"\ntext="b"\nkind="text"\n' * 2, ConfigError, "one key"),
    ],
)
def test_wrong_questions_get_one_line(tmp_path, text, error, message):
    path = tmp_path / "q.toml"
    path.write_text(text)
    with pytest.raises(error, match=message):
        read_questions(path)
    with pytest.raises(FileFormatError, match="no such file"):
        read_questions(tmp_path / "none.toml")
