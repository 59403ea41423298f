import pytest

from spinexplain.config.heads import HEADS, head_of, resolved
from spinexplain.config.training import TrainConfig, parse_config
from spinexplain.errors import ConfigError
from spinexplain.explainers.registry import EXPLAINERS


@pytest.mark.parametrize("kind", HEADS)
def test_everything_a_head_names_is_there(kind):
    head = head_of(kind)
    assert callable(resolved(head.network))
    assert callable(resolved(head.recipe))
    assert head.explainer in EXPLAINERS
    assert set(head.phases) <= set(TrainConfig.model_fields)
    assert set(head.axes) <= {2, 3}


def test_an_unknown_kind_is_named_with_the_nearest_one():
    with pytest.raises(ConfigError, match=r'kind is "protoype".*Did you mean "prototype"'):
        parse_config({"head": {"kind": "protoype"}}, "my.toml")
    with pytest.raises(ConfigError, match=r"expected one of prototype, linear, detector\. Correct"):
        head_of("x")
