import contextlib
import io
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis.strategies import binary
from safetensors.torch import save_file
from torch import nn

from spinexplain.errors import ModelError
from spinexplain.models.trunks.weights import load_weights, read_weights, widened


class Net(nn.Module):
    def __init__(self, channels=3):
        super().__init__()
        self.stem = nn.Conv2d(channels, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        return self.norm(self.stem(x))


@pytest.fixture
def source():
    torch.manual_seed(1)
    net = Net()
    net.norm.running_mean.uniform_()
    return net


def same(a, b):
    return all(torch.equal(v, b[k]) for k, v in a.items()) and set(a) == set(b)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt"])
def test_both_formats_give_what_was_saved(tmp_path, source, name):
    path, state = tmp_path / name, source.state_dict()
    save_file(state, path) if name.endswith("safetensors") else torch.save(state, path)
    assert same(read_weights(path), state)
    net = Net()
    load_weights(net, path, stem="stem.weight")
    assert same(net.state_dict(), state)


def test_the_format_from_before_zip_files_is_read_too(tmp_path, source):
    path = tmp_path / "old.pth"
    torch.save(source.state_dict(), path, _use_new_zipfile_serialization=False)
    assert same(read_weights(path), source.state_dict())


def test_checkpoints_of_parallel_training_are_unwrapped(tmp_path, source):
    state = {f"module.{key}": value for key, value in source.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "c.pt")
    assert same(read_weights(tmp_path / "c.pt"), source.state_dict())


def test_a_module_among_others_keeps_its_name(tmp_path):
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "c.pt")
    assert set(read_weights(tmp_path / "c.pt")) == {"module.a", "b"}


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not weights at all",
        b". /opt/env.sh\nexport A=1\n",
        pickle.dumps({"a": Evil()}, protocol=2),
        pickle.dumps([1, 2], protocol=2),
    ],
    ids=["empty", "text", "script", "pickle with code", "list"],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_is_no_weight_file_is_refused_unexecuted(tmp_path, content, suffix):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"w{suffix}"):
        read_weights(path)


def test_a_torch_file_with_code_is_refused_unexecuted(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"a": torch.ones(1), "b": Evil()}, path)
    with pytest.raises(ModelError, match="plain weights"):
        read_weights(path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@settings(max_examples=200, deadline=None)
@given(content=binary(max_size=60))
def test_bytes_are_never_more_than_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("weights") / "w.pt"
    path.write_bytes(content)
    with contextlib.suppress(ModelError):
        read_weights(path)


def test_a_truncated_file_is_refused(tmp_path, source):
    buffer = io.BytesIO()
    torch.save(source.state_dict(), buffer)
    path = tmp_path / "half.pth"
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(ModelError, match=r"half\.pth"):
        read_weights(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (torch.ones(2), "no named tensors"),
        ({}, "no named tensors"),
        ({"a": torch.ones(1), "lr": 0.1}, "more than tensors \\(lr\\)"),
    ],
)
def test_other_contents_are_refused(tmp_path, content, said):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=said):
        read_weights(tmp_path / "w.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere\.pth is no file"):
        read_weights(tmp_path / "nowhere.pth")


def test_missing_and_unexpected_names_are_listed_and_nothing_is_loaded(tmp_path, source):
    state = source.state_dict()
    state["stum.weight"] = state.pop("stem.weight")
    torch.save(state, tmp_path / "w.pt")
    net = Net()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(ModelError) as refused:
        load_weights(net, tmp_path / "w.pt", stem="stem.weight")
    assert "1 missing (stem.weight)" in str(refused.value)
    assert "1 unexpected (stum.weight)" in str(refused.value)
    assert same(net.state_dict(), before)


def test_many_names_are_counted(tmp_path, source):
    state = source.state_dict() | {f"extra{i}": torch.ones(1) for i in range(9)}
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"9 unexpected \(extra0, .*extra4 and 4 more\)"):
        load_weights(Net(), tmp_path / "w.pt", stem="stem.weight")


def test_other_shapes_are_named(tmp_path, source):
    state = source.state_dict() | {"stem.bias": torch.ones(7)}
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"stem\.bias is \(7,\); expected \(4,\)"):
        load_weights(Net(), tmp_path / "w.pt", stem="stem.weight")


def test_ignored_names_and_absent_counters_do_not_matter(tmp_path, source):
    state = source.state_dict() | {"fc.weight": torch.ones(2, 2)}
    del state["norm.num_batches_tracked"]
    torch.save(state, tmp_path / "w.pt")
    net = Net()
    load_weights(net, tmp_path / "w.pt", stem="stem.weight", ignored=("fc.",))
    assert torch.equal(net.norm.running_mean, source.norm.running_mean)


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_a_gray_image_gives_what_it_gave(tmp_path, source, channels):
    torch.save(source.state_dict(), tmp_path / "w.pt")
    net = Net(channels)
    load_weights(net, tmp_path / "w.pt", stem="stem.weight")
    gray = torch.randn(2, 1, 8, 8)
    expected = source.eval()(gray.expand(-1, 3, -1, -1))
    torch.testing.assert_close(net.eval()(gray.expand(-1, channels, -1, -1)), expected)


def test_a_fourth_channel_takes_the_weights_of_the_first():
    weight = torch.arange(6.0).view(2, 3, 1, 1)
    wide = widened(weight, 4)
    assert torch.equal(wide[:, 3], wide[:, 0])
    assert torch.equal(wide[:, :3], weight * 3 / 4)


def test_copied_weights_are_left_as_they_are():
    weight = torch.arange(6.0).view(2, 3, 1, 1)
    wide = widened(weight, 4, scaled=False)
    assert torch.equal(wide[:, :3], weight)
    assert torch.equal(wide[:, 3], weight[:, 0])
