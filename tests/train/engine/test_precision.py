"""bfloat16 only where the device has it."""

import pytest
import torch

from spinexplain.config.training import read_config
from spinexplain.train.engine import precision
from spinexplain.train.engine.precision import falls_back, has_bfloat16, network_precision


@pytest.mark.parametrize(
    ("asked", "has", "dtype"),
    [
        ("fp32", True, torch.float32),
        ("bf16", True, torch.bfloat16),
        ("bf16", False, torch.float32),
    ],
)
def test_networks_run_in_bfloat16_where_it_is_asked_for_and_there(monkeypatch, asked, has, dtype):
    monkeypatch.setattr(precision, "has_bfloat16", lambda _device: has)
    with network_precision(asked, "cpu"):
        assert torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == dtype


def test_a_processor_with_only_avx2_has_no_fast_bfloat16():
    if torch.backends.cpu.get_cpu_capability() == "AVX2":
        assert not has_bfloat16("cpu")
    assert isinstance(has_bfloat16("cpu"), bool)


def test_a_torch_without_onednn_has_none(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not has_bfloat16("cpu")


@pytest.mark.parametrize(
    ("preset", "has", "falls"),
    [
        ("detector", False, True),
        ("detector", True, False),
        ("protoverse", False, True),
        ("detector-as-released", False, False),
    ],
)
def test_a_training_falls_back_where_it_asks_for_bfloat16_in_vain(monkeypatch, preset, has, falls):
    monkeypatch.setattr(precision, "has_bfloat16", lambda _device: has)
    assert falls_back(read_config(preset), "cpu") == falls
