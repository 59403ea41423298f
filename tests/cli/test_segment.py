def test_a_mask_is_a_nifti(spinexplain, lumbar, tmp_path):
    """That it finds, paints and refuses is test_localize's; this is refused before reading."""
    ended = spinexplain("segment", lumbar[0], "-o", tmp_path / "mask.png")
    assert ended.code == 2
    assert "mask.png" in ended.line
    assert list(tmp_path.iterdir()) == []
