import torch

from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.curation.silencing import held_levels, with_silenced


def test_a_linear_classifier_without_a_unit_is_its_weight_at_the_mean():
    """Paper and pencil: the logits lose w (pooled - level), and nothing else changes."""
    spec = InputSpec(size=32)
    trunk = build_trunk(TrunkSettings(name="conv", weights="none", widths=(8, 16), blocks=2), spec)
    head = HeadSettings(kind="linear")
    model = build_model(trunk, head, 3, spec).eval()
    silent, changed = with_silenced(model, head, 3, spec, {5: 0.25})
    assert changed.silenced == (5,)
    assert held_levels(model) == {}
    x = torch.randn(2, len(spec.channels), 32, 32)
    with torch.inference_mode():
        pooled = model.pooled_features(x)
        lost = model.last_layer.weight[:, 5] * (pooled[:, 5:6] - 0.25)
        assert torch.allclose(silent(x), model(x) - lost, atol=1e-5)
    both, changed = with_silenced(silent, changed, 3, spec, {2: 1.0})
    assert changed.silenced == (2, 5)
    assert held_levels(both) == {2: 1.0, 5: 0.25}
