"""What other tools call a layer, a setting or a key leads to what it is called here; what is not there is said."""

from __future__ import annotations

import pytest

from archcalc.errors import ArchcalcError
from archcalc.language import synonyms
from archcalc.language.keywords import FAMILY, OPTIONS
from archcalc.language.keywords import LAYERS as HERE
from archcalc.language.zoo import read_text


def problem(text: str) -> str:
    with pytest.raises(ArchcalcError) as caught:
        read_text(text, "spec.yaml", "spec")
    return str(caught.value.problems[0])


@pytest.mark.parametrize(
    ("word", "layer"),
    [
        ("dense", "linear"),
        ("fc", "linear"),
        ("fully_connected", "linear"),
        ("InnerProduct", "linear"),
        ("nn.Linear", "linear"),
        ("bn", "batch_norm"),
        ("batchnorm", "batch_norm"),
        ("BatchNorm2d", "batch_norm"),
        ("FrozenBatchNorm2d", "batch_norm"),
        ("batch_normalization", "batch_norm"),
        ("maxpool", "max_pool"),
        ("MaxPooling2D", "max_pool"),
        ("avgpool", "avg_pool"),
        ("AveragePooling2D", "avg_pool"),
        ("gap", "global_avg_pool"),
        ("MultiScaleRoIAlign", "roi_align"),
        ("GridSampler", "grid_sample"),
        ("warp", "grid_sample"),
        ("ROIPooling", "roi_pool"),
        ("PSROIPooling", "ps_roi_pool"),
        ("AdaptiveAvgPool2d", "adaptive_avg_pool"),
        ("conv2d", "conv"),
        ("Convolution", "conv"),
        ("depthwise_conv", "conv"),
        ("deconv", "conv_transpose"),
        ("ConvTranspose2d", "conv_transpose"),
        ("Conv2DTranspose", "conv_transpose"),
        ("skip", "add"),
        ("residual", "add"),
        ("shortcut", "add"),
        ("sum", "add"),
        ("div", "divide"),
        ("AbsVal", "math"),
        ("sqrt", "math"),
        ("Power", "math"),
        ("plus", "add"),
        ("concatenate", "concat"),
        ("cat", "concat"),
        ("swish", "silu"),
        ("stochastic_depth", "drop_path"),
        ("resize", "upsample"),
        ("view", "flatten"),
        ("rleu", "relu"),
        ("cnov", "conv"),
    ],
)
def test_a_layer_by_its_meaning(word: str, layer: str) -> None:
    assert problem(f"input: [3, 8, 8]\nlayers:\n  - {word}: {{}}\n") == (
        f"spec.yaml:3: unknown layer or block {word!r}; did you mean {layer!r}? (at layers[0])"
    )


@pytest.mark.parametrize(
    "word",
    ["lstm", "GRU", "embedding", "transformer", "deform_conv", "celu"],
)
def test_a_layer_that_people_know_and_that_is_not_there(word: str) -> None:
    assert problem(f"input: [3, 8, 8]\nlayers: [{word}]\n") == (
        f"spec.yaml:2: archcalc has no layer {word!r}; docs/spec.md and archcalc schema list the layers (at layers[0])"
    )


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("weight_norm", "channels"),
        ("WeightNormalization", "channels"),
        ("weight_standardization", "standardised"),
        ("StdConv2d", "standardised"),
        ("WSConv2d", "standardised"),
        ("ScaledStdConv2d", "scaled"),
    ],
)
def test_computed_weights_are_a_setting(word: str, value: str) -> None:
    of = "conv and linear" if value == "channels" else "conv"
    assert problem(f"input: [3, 8, 8]\nlayers: [{word}]\n") == (
        f"spec.yaml:2: archcalc has no layer {word!r}; it is a setting of {of}: weight_norm: {value} (at layers[0])"
    )


@pytest.mark.parametrize("word", ["foo", "mystery_layer", "zzzzzz"])
def test_where_nothing_is_near_the_list_is_named(word: str) -> None:
    assert problem(f"input: [3, 8, 8]\nlayers: [{word}]\n") == (
        f"spec.yaml:2: unknown layer or block {word!r}; docs/spec.md and archcalc schema list the layers (at layers[0])"
    )


@pytest.mark.parametrize(
    ("layer", "word", "setting"),
    [
        ("conv", "kernel_size", "kernel"),
        ("conv", "filters", "out"),
        ("conv", "out_channels", "out"),
        ("conv", "padding", "pad"),
        ("conv", "strides", "stride"),
        ("conv", "dilation_rate", "dilation"),
        ("conv", "use_bias", "bias"),
        ("conv", "num_groups", "groups"),
        ("conv", "rel_pos", "relative"),
        ("conv", "relative_position", "relative"),
        ("lrn", "norm_region", "axis"),
        ("l2_norm", "channel_shared", "per_channel"),
        ("linear", "units", "out"),
        ("linear", "out_features", "out"),
        ("max_pool", "pool_size", "kernel"),
        ("dropout", "rate", "p"),
        ("leaky_relu", "negative_slope", "slope"),
        ("upsample", "scale_factor", "scale"),
        ("upsample", "interpolation", "mode"),
        ("adaptive_avg_pool", "output_size", "out"),
        ("conv", "kernal", "kernel"),
        ("conv", "norm_weight", "weight_norm"),
        ("conv", "weight_standardization", "weight_norm: standardised"),
        ("conv", "ws", "weight_norm: standardised"),
    ],
)
def test_a_setting_by_its_meaning(layer: str, word: str, setting: str) -> None:
    said = problem(f"input: [3, 8, 8]\nlayers:\n  - {layer}: {{{word}: 3}}\n")
    assert f"unknown setting of {layer} {word!r}; did you mean {setting!r}?" in said


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("in_channels", "conv has no setting 'in_channels'; what reaches a layer is inferred, and never written"),
        ("input_shape", "conv has no setting 'input_shape'; what reaches a layer is inferred, and never written"),
        ("spectral_norm", "conv has no setting 'spectral_norm'; archcalc has no spectral normalisation"),
        ("activation", "conv has no setting 'activation'; it is a layer of its own, with a dash of its own"),
    ],
)
def test_a_setting_that_is_none(word: str, said: str) -> None:
    assert said in problem(f"input: [3, 8, 8]\nlayers:\n  - conv: {{out: 3, kernel: 1, {word}: 3}}\n")


@pytest.mark.parametrize(
    ("word", "option"), [("repeats", "repeat"), ("if", "when"), ("inputs", "from"), ("id", "name"), ("shared", "weights"), ("nmae", "name")]
)  # fmt: skip
def test_an_option_by_its_meaning(word: str, option: str) -> None:
    said = problem(f"input: [3, 8, 8]\nlayers:\n  - relu:\n    {word}: 3\n")
    assert f"unknown layer, block or option {word!r}; did you mean {option!r}?" in said


@pytest.mark.parametrize(
    ("word", "key"), [("net", "layers"), ("input_shape", "input"), ("parameters", "params"), ("name", "title"), ("layres", "layers")]
)  # fmt: skip
def test_a_key_by_its_meaning(word: str, key: str) -> None:
    said = problem(f"{word}: 3\n")
    assert f"unknown key of a spec {word!r}; did you mean {key!r}?" in said


def test_the_tables_lead_to_what_is_there() -> None:
    assert set(synonyms.LAYERS.values()) <= set(HERE)
    assert not {synonyms.plain(name) for name in HERE} & synonyms.MISSING
    settings = {name for layer in HERE.values() for name in layer.fields}
    assert {one for meant in synonyms.SETTINGS.values() for one in meant} <= settings
    assert set(synonyms.OPTIONS.values()) <= set(OPTIONS)
    assert set(synonyms.KEYS.values()) <= set(FAMILY)
    assert set(synonyms.COMPUTED.values()) <= {*HERE["conv"].fields["weight_norm"].choices}
    words = [
        *synonyms.COMPUTED,
        *synonyms.LAYERS,
        *synonyms.SETTINGS,
        *synonyms.OPTIONS,
        *synonyms.KEYS,
        *synonyms.MISSING,
    ]
    assert all(synonyms.plain(word) == word for word in words)
