from writers.markers import replaced


def test_only_what_lies_between_the_markers_changes():
    page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    assert replaced(page, "x", "new\nlines") == page.replace("old", "new\nlines")
