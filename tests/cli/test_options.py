from spinexplain.cli.main import app


def test_shared_options_are_spelled_alike_everywhere():
    """--force, --jobs, --so-far and --centroids mean the same wherever they occur."""
    import inspect

    shared = {"force", "jobs", "so_far", "centroids"}
    kinds: dict[str, set] = {}
    for info in app.registered_commands:
        for name, parameter in inspect.signature(info.callback, eval_str=True).parameters.items():
            if name in shared:
                kinds.setdefault(name, set()).add(parameter.annotation)
    assert {name: len(found) for name, found in kinds.items()} == dict.fromkeys(shared, 1)


def test_a_negative_seed_is_refused_before_anything_is_read(spinexplain, tmp_path):
    ended = spinexplain("prepare", tmp_path, "--seed", "-1", "-o", tmp_path / "cohort")
    assert ended.code == 2
    assert "--seed" in ended.err
    assert not (tmp_path / "cohort").exists()
