from writers.counts import share_of


def test_a_count_is_a_share_with_wilsons_interval():
    assert share_of([2, 41]) == "5 % (1 to 16; 2/41)"


def test_a_share_that_would_look_like_its_bar_has_a_decimal():
    assert share_of([14, 226], 6) == "6.2 % (4 to 10; 14/226)"
    assert share_of([66, 511], 6) == "13 % (10 to 16; 66/511)"


def test_of_none_there_is_no_share():
    assert share_of([0, 0]) == "–"
