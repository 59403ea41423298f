from spinexplain.experiment.table import Row, Table, latex, markdown

TABLE = Table(
    "t",
    "Title",
    ("F1 (%)", "A_B"),
    (Row("published", "x", ("1.0 ± 0.1", "−2")), Row("ours", "a|b", ("3", "–"))),
    ("n = 5 & more",),
)


def test_markdown_has_a_line_for_every_row_and_note():
    lines = markdown(TABLE).splitlines()
    assert lines[2:6] == [
        "| | | F1 (%) | A_B |",
        "|---|---|---|---|",
        "| published | x | 1.0 ± 0.1 | −2 |",
        "| ours | a\\|b | 3 | – |",
    ]
    assert lines[-1] == "*n = 5 & more*"


def test_latex_prints_what_the_table_says():
    text = latex(TABLE)
    assert r"F1 (\%) & A\_B \\" in text
    assert r"published & x & 1.0 $\pm$ 0.1 & $-$2 \\" in text
    assert r"n = 5 \& more" in text
    assert text.count("\\begin") == text.count("\\end") == 2


def test_latex_takes_nothing_for_a_command():
    nasty = Table("t", r"\input{x}", (), (), ())
    assert r"\input" not in latex(nasty)
