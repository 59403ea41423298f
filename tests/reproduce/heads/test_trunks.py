import torch

from spinexplain.reproduce.heads.trunks import (
    shift_statistics,
    shipped_settings,
    shipped_trunk,
    trained_trunk,
)


def test_a_trunk_learns_on_and_is_frozen(sheets, few_steps, tmp_path, listener):
    trunk = trained_trunk(few_steps, sheets, tmp_path / "trunk", listener)
    assert listener.steps[-1] == ("Trunk", 2, 2)
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
    start = shipped_trunk().state_dict()
    moved = [not torch.equal(start[name], one) for name, one in trunk.state_dict().items()]
    assert any(moved)
    again = trained_trunk(few_steps, sheets, tmp_path / "trunk")
    assert all(
        torch.equal(one, other)
        for one, other in zip(trunk.state_dict().values(), again.state_dict().values(), strict=True)
    )


def test_a_channel_less_cuts_the_first_convolution(sheets, few_steps, tmp_path):
    channels = tuple(name for name in few_steps.input.channels if name != "gaussian")
    blind = few_steps.model_copy(
        update={
            "input": few_steps.input.model_copy(update={"channels": channels}),
            "head": few_steps.head.model_copy(update={"pooling": "average"}),
        }
    )
    trunk = trained_trunk(blind, sheets, tmp_path / "blind")
    whole = shipped_trunk().state_dict()["layers.0.weight"]
    assert trunk.state_dict()["layers.0.weight"].shape[1] == whole.shape[1] - 1


def test_only_statistics_shift(held, few_steps):
    before = {name: one.clone() for name, one in held.trunk.state_dict().items()}
    try:
        shift_statistics(held.trunk, held, few_steps)
        state = held.trunk.state_dict()
        changed = {name for name, one in state.items() if not torch.equal(one, before[name])}
    finally:
        held.trunk.load_state_dict(before)
    assert changed
    assert all("running" in name or "num_batches" in name for name in changed)


def test_the_shipped_input_comes_with_its_trunk():
    assert shipped_settings()["trunk"]["weights"] == "none"
