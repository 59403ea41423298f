from spinexplain.cli.main import app


def test_shared_options_are_spelled_alike_everywhere():
    """--force, --seed, --jobs and --out mean the same wherever they occur."""
    import inspect

    kinds: dict[str, set] = {}
    for info in app.registered_commands:
        for name, parameter in inspect.signature(info.callback, eval_str=True).parameters.items():
            if name in {"force", "jobs"}:
                kinds.setdefault(name, set()).add(parameter.annotation)
    assert {name: len(found) for name, found in kinds.items()} == {"force": 1, "jobs": 1}
