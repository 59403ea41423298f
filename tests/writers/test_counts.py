from writers.counts import share_of


def test_a_count_is_a_share_with_wilsons_interval():
    assert share_of([2, 41]) == "5 % (1 to 16; 2/41)"


def test_of_none_there_is_no_share():
    assert share_of([0, 0]) == "–"
