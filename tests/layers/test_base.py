"""Registration, settings and the sentences a layer says when it cannot be."""

import re

import pytest

from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.layers.base import FACTS, Layer, Pointwise
from archcalc.layers.resample import Pooled
from archcalc.layers.settings import WholeNumber
from archcalc.sizes import NO_WORK, Shape

x = Shape(6, (5, 7))


def says(text):
    return pytest.raises(LayerError, match=f"^{re.escape(text)}$")


@pytest.fixture
def unchanged_registry():
    before = dict(registry)
    yield
    assert dict(registry) == before


def test_a_second_layer_of_a_name_is_refused(unchanged_registry):
    with pytest.raises(TypeError, match=r"^two layers are called 'relu': Relu and Other$"):

        class Other(Pointwise, type="relu"):
            def work(self, out, x):
                return NO_WORK


@pytest.mark.parametrize("left_out", FACTS)
def test_a_layer_that_lacks_a_fact_is_refused(left_out, unchanged_registry):
    facts = {fact: lambda self, *xs: None for fact in FACTS if fact != left_out}
    with pytest.raises(TypeError, match=f"^layer 'nameless' does not state its {left_out}$"):
        type("Nameless", (Layer,), facts, type="nameless")


def test_all_missing_facts_are_named_at_once(unchanged_registry):
    with pytest.raises(TypeError, match=r"^layer 'nameless' does not state its window, shape, params, work$"):
        type("Nameless", (Layer,), {}, type="nameless")


def test_pointwise_has_no_work_of_its_own(unchanged_registry):
    with pytest.raises(TypeError, match=r"does not state its work$"):
        type("Nameless", (Pointwise,), {}, type="nameless")


def test_fields_are_inherited_and_a_class_without_type_is_not_registered(unchanged_registry):
    class Base(Pointwise):
        size = WholeNumber("a size", 3)

    class Derived(Base):
        more = WholeNumber("another")

    assert list(Derived.fields) == ["size", "more"]
    assert list(Base.fields) == ["size"]


SETTINGS = [
    ("conv", {"out": 8}, "conv needs kernel: size of the window"),
    ("conv", {}, "conv needs kernel: size of the window; conv needs out: output channels"),
    ("conv", {"out": 8, "kernel": 3, "strde": 2}, "unknown conv setting 'strde'; did you mean 'stride'?"),
    ("relu", {"x": 1}, "unknown relu setting 'x'; known: none"),
    ("conv", {"out": 8, "kernel": 3, "stride": 0}, "stride: must be at least 1, got 0"),
    ("conv", {"out": 8, "kernel": 3, "pad": -1}, "pad: must be at least 0, got -1; the layer crop cuts positions off"),
    (
        "max_pool",
        {"kernel": 3, "stride": 2, "pad": [[0, -2], 1]},
        "pad: must be at least 0, got -2; the layer crop cuts positions off",
    ),
    ("pad", {"by": [1, -1]}, "by: must be at least 0, got -1; the layer crop cuts positions off"),
    ("crop", {"by": -3}, "by: must be at least 0, got -3; the layer pad puts zeros around"),
    ("pad_channels", {"after": -4}, "after: must be at least 0, got -4; slice cuts channels off"),
    ("crop", {"by": "same"}, "by: expected a number, [height, width] or [[top, bottom], [left, right]], got 'same'"),
    ("crop", {"size": 0}, "size: must be at least 1, got 0"),
    ("crop", {"like": "up"}, "like: expected the name of a layer in a spec, got 'up'; size takes numbers"),
    ("conv", {"out": 8, "kernel": [3, 0]}, "kernel: must be at least 1, got 0"),
    ("conv", {"out": 8, "kernel": []}, "kernel: expected a number for every axis, got an empty list"),
    ("conv", {"out": 8, "kernel": 3, "pad": []}, "pad: expected a number for every axis, got an empty list"),
    ("conv", {"out": 8, "kernel": 3, "pad": [[1, 2, 3]]}, "pad: expected [before, after] for an axis, got 3 numbers"),
    (
        "conv",
        {"out": 8, "kernel": 3, "pad": "full"},
        "pad: expected a number, [height, width], [[top, bottom], [left, right]], same or valid, got 'full'",
    ),
    ("conv", {"out": 2.5, "kernel": 3}, "out: expected a whole number, got 2.5"),
    ("conv", {"out": float("nan"), "kernel": 3}, "out: expected a whole number, got nan"),
    ("conv", {"out": True, "kernel": 3}, "out: expected a whole number, got true"),
    ("conv", {"out": None, "kernel": 3}, "out: expected a whole number, got nothing"),
    ("conv", {"out": "8", "kernel": 3}, "out: expected a whole number, got '8'"),
    ("conv", {"out": 2**31, "kernel": 3}, "out: 2147483648 is larger than 2,147,483,647, the largest size there is"),
    ("conv", {"out": 8, "kernel": 3, "bias": 1}, "bias: expected true or false, got 1"),
    (
        "conv",
        {"out": 0, "kernel": 3, "groups": 0, "bias": None},
        "out: must be at least 1, got 0; groups: must be at least 1, got 0; bias: expected true or false, got nothing",
    ),
    ("dropout", {"p": 1.5}, "p: must be from 0 to 1, got 1.5"),
    ("dropout", {"p": "half"}, "p: expected a number, got 'half'"),
    (
        "max_pool",
        {"kernel": 2},
        "max_pool needs stride: step between windows; no default, because tools differ in it",
    ),
    ("max_pool", {"kernel": 2, "stride": 2, "ceil_mode": 1}, "ceil_mode: expected one of false, true, caffe, got 1"),
    (
        "max_pool",
        {"kernel": 2, "stride": 2, "ceil_mode": "cafe"},
        "ceil_mode: unknown choice 'cafe'; did you mean 'caffe'?",
    ),
    ("linear", {"out": 2, "zero_bias": 1}, "zero_bias: expected [start, stop], got 1"),
    ("linear", {"out": 2, "zero_bias": [1, 1]}, "zero_bias: the part from 1 to 1 is empty"),
    ("linear", {"out": 2, "zero_bias": [0, -1]}, "zero_bias: must be at least 0, got -1"),
    ("linear", {"out": 2, "axis": 1}, "axis: expected one of nothing, channels, last, got 1"),
    ("linear", {"out": 2, "axis": "lst"}, "axis: unknown choice 'lst'; did you mean 'last'?"),
    ("conv_table", {"kernel": 3, "table": [[0], []]}, "table: output map 1: expected a list of input maps, got []"),
    ("conv_table", {"kernel": 3, "table": [[0, 0]]}, "table: output map 0: an input map is listed twice in [0, 0]"),
    ("conv_table", {"kernel": 3, "table": 3}, "table: expected a list of lists of input maps, got 3"),
]


@pytest.mark.parametrize(("type", "settings", "text"), SETTINGS, ids=lambda v: str(v)[:40])
def test_settings_refused(type, settings, text):
    with says(text):
        registry[type](**settings)


def of_arrays(value):
    """The id of a value of a row; of a function that makes arrays it is the same in every process."""
    return "arrays" if callable(value) else str(value)[:40]


OF_NUMPY = [
    (lambda np: {"out": np.bool_(True), "kernel": 3}, "out: expected a whole number, got true"),
    (lambda np: {"out": np.array([1.5, 2.0]), "kernel": 3}, "out: expected whole numbers, got [1.5, 2.0]"),
    (lambda np: {"out": np.array([1, 2], "int32"), "kernel": 3}, "out: expected an int64 array, got int32"),
    (lambda np: {"out": np.array([True, False]), "kernel": 3}, "out: expected an int64 array, got bool"),
    (lambda np: {"out": np.array([], "int64"), "kernel": 3}, "out: expected numbers, got an empty array"),
    (lambda np: {"out": np.array([4, 0]), "kernel": 3}, "out: must be at least 1, got 0"),
]


@pytest.mark.parametrize(("settings", "text"), OF_NUMPY, ids=of_arrays)
def test_arrays_and_scalars_of_numpy_refused(settings, text):
    np = pytest.importorskip("numpy")
    with says(text):
        registry["conv"](**settings(np))


FIT = "along each axis sizes must be equal, or 1"

SHAPES = [
    ("conv", {"out": 8, "kernel": 9}, (x,), "the kernel spans 9 but the padded input is only 5 + 0 + 0 = 5"),
    (
        "conv",
        {"out": 8, "kernel": 3, "dilation": 5, "pad": [[1, 2], 9]},
        (x,),
        "the kernel spans 11 but the padded input is only 5 + 1 + 2 = 8",
    ),
    ("max_pool", {"kernel": 6, "stride": 1}, (x,), "the kernel spans 6 but the padded input is only 5 + 0 + 0 = 5"),
    (
        "max_pool",
        {"kernel": 7, "stride": 2, "ceil_mode": True},
        (x,),
        "the kernel spans 7 but the padded input is only 5 + 0 + 0 = 5",
    ),
    ("avg_pool", {"kernel": 2, "stride": 2, "pad": 2}, (x,), "pad 2 and 2 must be smaller than the kernel's span 2"),
    ("conv", {"out": 8, "kernel": 3, "groups": 4}, (x,), "input channels / groups: 6 is not divisible by 4"),
    ("conv", {"out": 8, "kernel": 3, "groups": 3}, (x,), "output channels / groups: 8 is not divisible by 3"),
    ("conv_transpose", {"out": 8, "kernel": 3, "groups": 3}, (x,), "output channels / groups: 8 is not divisible by 3"),
    (
        "conv_transpose",
        {"out": 8, "kernel": 3, "stride": 2, "output_pad": 2},
        (x,),
        "output_pad 2 must be smaller than the stride 2 or the dilation 1",
    ),
    ("conv", {"out": 8, "kernel": [3, 3, 3]}, (x,), "kernel has 3 numbers, but the input 6x5x7 has 2 spatial axes"),
    ("conv", {"out": 8, "kernel": 3, "pad": [1]}, (x,), "pad has 1 numbers, but the input 6x5x7 has 2 spatial axes"),
    ("conv", {"out": 8, "kernel": 3}, (Shape(6),), "conv needs a feature map with height and width, got a vector of 6"),
    (
        "global_avg_pool",
        {},
        (Shape(6),),
        "global_avg_pool needs a feature map with height and width, got a vector of 6",
    ),
    (
        "conv_table",
        {"kernel": 3, "table": [[0, 6]]},
        (x,),
        "the table names input map 6, but the input 6x5x7 has maps 0 to 5",
    ),
    (
        "linear",
        {"out": 2, "zero_bias": [0, 1], "weight_norm": "channels"},
        (Shape(6),),
        "linear: weight_norm and zero_bias cannot be combined",
    ),
    ("linear", {"out": 2, "zero_bias": [1, 3]}, (Shape(6),), "zero_bias is from 1 to 3, but the layer has 2 biases"),
    (
        "linear",
        {"out": 2, "zero_bias": [0, 1], "bias": False},
        (Shape(6),),
        "zero_bias is from 0 to 1, but the layer has no bias",
    ),
    ("linear", {"out": 2}, (x,), "linear on the map 6x5x7: put flatten before it, or say axis: channels or axis: last"),
    (
        "layer_norm",
        {"axis": ["channels", "width"]},
        (x,),
        "layer_norm over channels, width of the map 6x5x7: a list has the last axes of the map, all of channels, height, "
        "width from one axis on",
    ),
    (
        "rms_norm",
        {"axis": ["depth", "width"]},
        (x,),
        "rms_norm over the axis depth, but the input is 6x5x7: its axes are channels, height, width and last",
    ),
    ("layer_norm", {}, (x,), "layer_norm on the map 6x5x7: say axis: channels, axis: last or axis: all"),
    (
        "group_norm",
        {"groups": 4},
        (x,),
        "channels / groups: 6 is not divisible by 4",
    ),
    (
        "group_norm",
        {"groups": 6},
        (Shape(6, (1, 1)),),
        "group_norm on 6x1x1: a group of one value is always 0 after normalisation",
    ),
    (
        "instance_norm",
        {},
        (Shape(6, (1, 1)),),
        "instance_norm on 6x1x1: a channel of one value is always 0 after normalisation",
    ),
    (
        "instance_norm",
        {},
        (Shape(6),),
        "instance_norm needs a feature map with height and width, got a vector of 6",
    ),
    ("rbf", {"out": 2}, (x,), "rbf needs a vector, got the map 6x5x7: put flatten before it"),
    (
        "channel_shuffle",
        {"groups": 4},
        (x,),
        "'(4 c) h w -> (c 4) h w': the number of channels 6 of (4 c) is not divisible by 4; 4 and 8 would fit",
    ),
    ("slice", {"start": 2, "stop": 7}, (x,), "channels 2 to 7 do not lie in the input's 6 channels"),
    ("slice", {"start": 6}, (x,), "channels 6 to 6 do not lie in the input's 6 channels"),
    (
        "batch_norm",
        {"frozen": True, "affine": False},
        (x,),
        "frozen keeps a scale and a shift as buffers, but affine is false; leave one of them out",
    ),
    (
        "batch_norm",
        {"frozen": True, "scale": False},
        (x,),
        "frozen keeps a scale and a shift as buffers, but scale is false; leave one of them out",
    ),
    (
        "conv",
        {"out": 1, "kernel": 2, "pad": "same", "pad_mode": "reflect"},
        (x,),
        "pad_mode reflect needs the same padding on both sides of an axis, got 0 and 1; the layer pad puts different "
        "numbers around",
    ),
    (
        "conv",
        {"out": 1, "kernel": 3, "pad": 5, "pad_mode": "reflect"},
        (x,),
        "pad puts 5 positions beside an axis of 5: mode reflect has 4 to take them from",
    ),
    (
        "conv",
        {"out": 1, "kernel": 3, "pad": 6, "pad_mode": "circular"},
        (x,),
        "pad puts 6 positions beside an axis of 5: mode circular has 5 to take them from",
    ),
    ("unpool", {}, (), "unpool needs of: the pooling whose indices say where the values go"),
    ("unpool", {"of": "pool1"}, (), "of: expected the name of a max_pool in a spec, got 'pool1'"),
    (
        "unpool",
        {"of": Pooled(2, 2, 0, 1, False, Shape(6, (8, 8)), Shape(6, (4, 4)))},
        (x,),
        "the input is 6x5x7, but the pooling made 6x4x4; unpool needs a value for each of its maxima",
    ),
    ("upsample", {}, (x,), "upsample needs scale, size or like, one of the three"),
    ("upsample", {"scale": 2, "size": 9}, (x,), "upsample needs scale, size or like, one of the three"),
    ("upsample", {"scale": 2, "like": (9, 9)}, (x,), "upsample needs scale, size or like, one of the three"),
    (
        "upsample",
        {"scale": 2, "align_corners": True},
        (x,),
        "align_corners needs mode bilinear or bicubic, got nearest, which interpolates nothing",
    ),
    (
        "upsample",
        {"scale": 2, "antialias": True},
        (x,),
        "antialias needs mode bilinear or bicubic, got nearest, which interpolates nothing",
    ),
    (
        "upsample",
        {"scale": 2, "mode": "bilinear", "antialias": True},
        (Shape(3, (4, 4, 4)),),
        "antialias is for maps of two axes, got 3",
    ),
    (
        "upsample",
        {"size": [5, 6], "mode": "bilinear", "antialias": True},
        (x,),
        "antialias on an axis that becomes smaller (7 to 6) is not understood",
    ),
    (
        "upsample",
        {"scale": 2, "mode": "bicubic", "antialias": True, "align_corners": True},
        (x,),
        "antialias and align_corners are not understood together; leave one of them out",
    ),
    (
        "add",
        {},
        (x, Shape(6, (5, 8))),
        f"the inputs of add differ in shape: 6x5x7, 6x5x8; {FIT}; crop: {{size: [5, 7]}} cuts a larger map to that size",
    ),
    ("add", {}, (x, Shape(5)), f"the inputs of add differ in shape: 6x5x7, 5; {FIT}"),
    ("mean", {}, (x, Shape(3, (5, 7))), f"the inputs of mean differ in shape: 6x5x7, 3x5x7; {FIT}"),
    ("multiply", {}, (x, Shape(2, (1, 1))), f"the inputs of multiply differ in shape: 6x5x7, 2x1x1; {FIT}"),
    ("multiply", {}, (x, Shape(6, (7,))), f"the inputs of multiply differ in shape: 6x5x7, 6x7; {FIT}"),
    (
        "concat",
        {},
        (x, Shape(1, (7, 5))),
        "the inputs of concat differ in size: 6x5x7, 1x7x5; crop: {size: [5, 5]} cuts a larger map to that size",
    ),
    (
        "concat",
        {},
        (Shape(8, (30,)), Shape(8, (26,))),
        "the inputs of concat differ in size: 8x30, 8x26; crop: {size: [26]} cuts a larger map to that size",
    ),
    ("concat", {}, (x, Shape(6, (5,))), "the inputs of concat differ in size: 6x5x7, 6x5"),
    ("slice", {"axis": "height", "start": 2, "stop": 6}, (x,), "height 2 to 6 do not lie in the height 5 of the input"),
    ("slice", {"axis": "last", "start": 7}, (x,), "width 7 to 7 do not lie in the width 7 of the input"),
    (
        "slice",
        {"axis": "length"},
        (x,),
        "slice over the axis length, but the input is 6x5x7: its axes are channels, height, width and last",
    ),
    (
        "slice",
        {"axis": "width"},
        (Shape(6),),
        "slice over the axis width, but the input is 6: a vector has channels only",
    ),
    (
        "concat",
        {"axis": "height"},
        (x, Shape(6, (5, 6))),
        "the inputs of concat differ in size: 6x5x7, 6x5x6; all sizes but the height must be equal",
    ),
    ("expand", {}, (x,), "expand needs size or like, one of the two"),
    (
        "expand",
        {"size": [5, 14]},
        (x,),
        "expand cannot make 6x5x7 a map of 5x14: along an axis, the sizes must be equal, or 1 before; upsample makes "
        "other maps larger",
    ),
    ("roll", {"by": [1, 2, 3]}, (x,), "by has 3 numbers, but the input 6x5x7 has 2 spatial axes"),
    ("roll", {"by": 1}, (Shape(6),), "roll needs a feature map with height and width, got a vector of 6"),
    (
        "pad",
        {"by": 5, "mode": "reflect"},
        (x,),
        "pad puts 5 positions beside an axis of 5: mode reflect has 4 to take them from",
    ),
    (
        "pad",
        {"by": [6, 0], "mode": "circular"},
        (x,),
        "pad puts 6 positions beside an axis of 5: mode circular has 5 to take them from",
    ),
    (
        "windows",
        {"size": 7},
        (x,),
        "'c (h 7) (w 7) -> c (h w) (7 7)': the height 5 of (h 7) is not divisible by 7; 7 would fit",
    ),
    ("windows", {"size": [1, 2, 3]}, (x,), "size has 3 numbers, but the input 6x5x7 has 2 spatial axes"),
    ("windows", {"size": 1}, (Shape(6),), "windows needs a feature map with height and width, got a vector of 6"),
    (
        "space_to_depth",
        {"block": [5, 2]},
        (x,),
        "'c (h 5) (w 2) -> (c 5 2) h w': the width 7 of (w 2) is not divisible by 2; 6 and 8 would fit",
    ),
    (
        "pixel_shuffle",
        {"factor": 2},
        (x,),
        "'(c 2 2) h w -> c (h 2) (w 2)': the number of channels 6 of (c 2 2) is not divisible by 4; 4 and 8 would fit",
    ),
    ("to_map", {}, (x,), "to_map needs size or like, one of the two"),
    ("to_map", {"size": [5, 7]}, (Shape(6, (36,)),), "'c (5 7) -> c 5 7': the length of (5 7) must be 35, got 36"),
    (
        "from_windows",
        {"size": [5, 7]},
        (Shape(6, (35,)),),
        "from_windows needs a map of windows and positions, got 6x35",
    ),
    (
        "from_windows",
        {"size": [4, 4]},
        (Shape(6, (4, 5)),),
        "from_windows needs block: a window of 5 positions is not as long on every axis",
    ),
    (
        "from_windows",
        {"size": [4, 5]},
        (Shape(6, (4, 4)),),
        "from_windows: 5 positions of the map are not divisible by windows of 2; 4 and 6 would fit",
    ),
    (
        "from_windows",
        {"size": [4, 6]},
        (Shape(6, (5, 4)),),
        "'c (2 3) (2 2) -> c (2 2) (3 2)': the height of (2 3) must be 6, got 5",
    ),
    (
        "attention",
        {"heads": 4},
        (x, x, x),
        "attention: 6 channels of queries and keys are not divisible into 4 heads; 3 and 6 heads would fit",
    ),
    (  # a prime number of channels: the search for numbers of heads ends
        "attention",
        {"heads": 10**9},
        (Shape(2**31 - 1, (2,)),) * 3,
        "attention: 2147483647 channels of queries and keys are not divisible into 1000000000 heads",
    ),
    (
        "attention",
        {"heads": 3},
        (x, x, Shape(4, (5, 7))),
        "attention: 4 channels of values are not divisible into 3 heads; 2 and 4 heads would fit",
    ),
    (
        "attention",
        {"heads": 1},
        (Shape(6, (7,)), Shape(5, (7,)), Shape(6, (7,))),
        "attention: queries have 6 channels, keys 5: a product needs equal channels (6x7, 5x7, 6x7)",
    ),
    (
        "attention",
        {"heads": 1},
        (Shape(6, (4,)), Shape(6, (7,)), Shape(6, (5,))),
        "attention: 7 keys, but 5 values: every key needs one value (6x4, 6x7, 6x5)",
    ),
    (
        "attention",
        {"heads": 1},
        (x, Shape(6, (4, 7)), Shape(6, (4, 7))),
        "attention: queries, keys and values differ in the axes before the last: 6x5x7, 6x4x7, 6x4x7; these axes are like "
        "a batch and must be equal",
    ),
    (
        "attention",
        {"heads": 2},
        (x, x, Shape(6)),
        "attention: the values are a vector of 6; the last axis of a map holds the positions, and to_tokens makes such a map",
    ),
    (
        "position",
        {"axes": ["height", "last", "width"]},
        (x,),
        "position: the axis width is listed twice in height, last, width",
    ),
    (
        "position",
        {"axes": ["channels"]},
        (x,),
        "position: every channel has numbers of its own, so axes lists the axes of the map alone",
    ),
    (
        "position",
        {"axes": ["depth"]},
        (x,),
        "position over the axis depth, but the input is 6x5x7: its axes are channels, height, width and last",
    ),
    (
        "index_select",
        {"count": 5, "axis": "height"},
        (Shape(6),),
        "index_select over the axis height, but the input is 6: a vector has channels only",
    ),
    ("parameter", {"size": 5}, (x,), "size: expected the channels and every axis, as in [64, 14, 14], got 5"),
    (
        "class_token",
        {},
        (Shape(6),),
        "class_token needs a map whose last axis holds the positions, got a vector of 6; to_tokens makes such a map",
    ),
    (
        "attention",
        {"heads": 2, "bias": "relative"},
        (x, x, x),
        "attention: bias: relative needs block: the positions of a window, as in block: [7, 7]",
    ),
    (
        "attention",
        {"heads": 2, "bias": "relative", "block": [2, 4]},
        (x, x, x),
        "attention: a window of block 2x4 has 8 positions, but there are 7 queries",
    ),
    (
        "attention",
        {"heads": 2, "bias": "relative", "block": 7},
        (x, x, x, Shape(2, (5, 7, 7))),
        "attention: bias is a map and also relative; leave one of them out",
    ),
    (
        "attention",
        {"heads": 2, "bias": "continuous", "block": 7},
        (x, x, x, Shape(2, (5, 7, 7))),
        "attention: bias is a map and also continuous; leave one of them out",
    ),
    (
        "attention",
        {"heads": 2, "bias": "continuous", "block": [7, 1]},
        (x, x, x),
        "attention: bias: continuous needs at least 2 positions along every axis of a window, got block 7x1",
    ),
    (
        "attention",
        {"heads": 2, "cosine": True, "scale": 1},
        (x, x, x),
        "attention: cosine has a trained scale; leave scale out",
    ),
    (
        "attention",
        {"heads": 2},
        (x, x, x, Shape(2, (5, 7, 6))),
        "attention: the bias is 2x5x7x6, but the scores are 2x5x7x7: heads, the axes of the queries, and keys",
    ),
    (
        "attention",
        {"heads": 2, "block": 7, "shift": 3},
        (x, x, x),
        "attention: shift needs size or like, one of the two: the map that was cut into windows",
    ),
    (
        "attention",
        {"heads": 2, "block": 7, "shift": 3, "size": [7, 35]},
        (x, x, x),
        "attention: block 7, shift 3 and size 7x35 differ in their axes",
    ),
    (
        "attention",
        {"heads": 2, "block": 7, "shift": 3, "size": 36},
        (x, x, x),
        "attention: 36 positions of the map are not divisible by windows of 7; 35 and 42 would fit",
    ),
    (
        "attention",
        {"heads": 2, "block": 7, "shift": 7, "size": 35},
        (x, x, x),
        "attention: a shift of 7 is not smaller than a window of 7",
    ),
    (
        "attention",
        {"heads": 2, "block": 7, "shift": 3, "size": 42},
        (x, x, x),
        "attention: a map of 42 has 6 windows of 7, but there are 5 windows",
    ),
    ("attention", {"heads": 2}, (x, x), "attention takes queries, keys, values and perhaps a bias, got 2 maps"),
    ("matmul", {}, (x,), "matmul multiplies two maps, got 1"),
    ("matmul", {}, (x, Shape(6)), "matmul multiplies two maps with equally many axes, got 6x5x7 and 6"),
    (
        "matmul",
        {},
        (x, Shape(4, (7, 5))),
        "matmul: the sizes before the matrix are like a batch and must be equal, got 6x5x7 and 4x7x5",
    ),
    (
        "matmul",
        {},
        (x, Shape(6, (5, 4))),
        "matmul of 6x5x7 and 6x5x4: the matrices 5x7 and 5x4 do not fit, as 7 columns of the first are not 5 rows of the "
        "second; transpose: first would fit",
    ),
    (
        "matmul",
        {"transpose": "first"},
        (x, Shape(6, (9, 7))),
        "matmul of 6x5x7 and 6x9x7: the matrices 7x5 and 9x7 do not fit, as 5 columns of the first are not 9 rows of the "
        "second; transpose: second would fit",
    ),
    (
        "matmul",
        {},
        (x, Shape(6, (3, 2))),
        "matmul of 6x5x7 and 6x3x2: the matrices 5x7 and 3x2 do not fit, as 7 columns of the first are not 3 rows of the "
        "second",
    ),
    ("grid_sample", {}, (x,), "grid_sample reads a map and a grid of positions, got 1 inputs"),
    (
        "grid_sample",
        {},
        (x, x),
        "grid_sample: the channels of the grid are x and y, or x, y and z, so 2 or 3, but the grid is 6x5x7",
    ),
    (
        "grid_sample",
        {},
        (x, Shape(3, (5, 7))),
        "grid_sample: a grid with 3 channels has positions on the last 3 axes of a map with as many axes as the grid, got "
        "the map 6x5x7 and the grid 3x5x7",
    ),
    (
        "grid_sample",
        {},
        (x, Shape(2, (4, 5, 7))),
        "grid_sample: a grid with 2 channels has positions on the last 2 axes of a map with as many axes as the grid, got "
        "the map 6x5x7 and the grid 2x4x5x7",
    ),
    (
        "grid_sample",
        {},
        (Shape(6, (3, 5, 7)), Shape(2, (4, 5, 7))),
        "grid_sample of 6x3x5x7 at 2x4x5x7: the axes before the last 2 are like a batch and must be equal, got 3 and 4",
    ),
    (
        "grid_sample",
        {"mode": "bicubic"},
        (Shape(6, (3, 5, 7)), Shape(3, (4, 5, 7))),
        "bicubic takes positions on two axes, but the grid 3x4x5x7 has x, y and z",
    ),
    ("crop", {}, (x,), "crop needs by, size or like, one of the three"),
    ("pad", {"by": 1, "size": 9}, (x,), "pad needs by, size or like, one of the three"),
    ("crop", {"by": [[2, 3], 0]}, (x,), "crop cuts 2 + 3 positions off an axis of 5: nothing is left"),
    ("crop", {"by": 4}, (x,), "crop cuts 4 + 4 positions off an axis of 5: nothing is left"),
    ("crop", {"size": 4, "offset": 2}, (x,), "crop with offset 2: only 1 positions are cut off"),
    ("crop", {"by": 1, "offset": 1}, (x,), "crop takes offset with size or like; by says both sides itself"),
    ("crop", {"size": [5, 8]}, (x,), "crop cannot make 7 positions 8; the layer pad makes a map larger"),
    ("pad", {"size": [6, 6]}, (x,), "pad cannot make 7 positions 6; the layer crop makes a map smaller"),
    ("crop", {"size": [4]}, (x,), "size has 1 numbers, but the input 6x5x7 has 2 spatial axes"),
    ("pad", {"by": [1, 1, 1]}, (x,), "by has 3 numbers, but the input 6x5x7 has 2 spatial axes"),
    ("crop", {"by": 1}, (Shape(6),), "crop needs a feature map with height and width, got a vector of 6"),
]


@pytest.mark.parametrize(("type", "settings", "inputs", "text"), SHAPES, ids=lambda v: str(v)[:40])
def test_shapes_refused(type, settings, inputs, text):
    with says(text):
        registry[type](**settings).shape(*inputs)


SHAPES_OF_ARRAYS = [
    # arrays are told by their range, so that the sentence stays one
    (
        "conv",
        {"out": 8, "kernel": 4},
        lambda np: (Shape(6, (np.arange(3, 2000), 7)),),
        "the kernel spans 4 but the padded input is only [3..1999] + 0 + 0 = [3..1999]",
    ),
    (
        "conv",
        {"out": 8, "kernel": 1, "groups": 2},
        lambda np: (Shape(np.arange(2, 5), (5, 7)),),
        "input channels / groups: [2..4] is not divisible by 2",
    ),
    (
        "add",
        {},
        lambda np: (x, Shape(6, (np.array([5, 6]), 7))),
        f"the inputs of add differ in shape: 6x5x7, 6x[5..6]x7; {FIT}; "
        "crop: {size: [[5..5], 7]} cuts a larger map to that size",
    ),
]


@pytest.mark.parametrize(("type", "settings", "inputs", "text"), SHAPES_OF_ARRAYS, ids=of_arrays)
def test_shapes_of_arrays_refused(type, settings, inputs, text):
    np = pytest.importorskip("numpy")
    with says(text):
        registry[type](**settings).shape(*inputs(np))


def test_numpy_scalars_become_python_ints():
    """A NumPy scalar would wrap around at 2**63, or at 2**31 for int32; a Python int does not."""
    np = pytest.importorskip("numpy")
    for number in (np.int32(8), np.int64(8), np.array(8), np.float64(8.0), 8.0):
        out = registry["conv"](out=number, kernel=np.int64(3)).out
        assert (type(out), out) == (int, 8)


def test_settings_may_be_arrays_everywhere():
    np = pytest.importorskip("numpy")
    sizes = np.array([1, 2])
    layer = registry["conv"](out=sizes, kernel=sizes, stride=sizes, pad=sizes, dilation=sizes)
    # (5 + 2 - 1)//1 + 1 = 7 and (5 + 4 - 3)//2 + 1 = 4
    assert layer.shape(Shape(1, (5,))).axes[0].tolist() == [7, 4]
    up = registry["conv_transpose"](out=1, kernel=3, stride=3, output_pad=sizes)
    assert up.shape(Shape(1, (5,))).axes[0].tolist() == [4 * 3 + 3 + 1, 4 * 3 + 3 + 2]
    assert repr(layer).startswith("conv(kernel=array([1, 2]), stride=array([1, 2])")


def test_repr_shows_what_is_not_default():
    assert repr(registry["conv"](out=8, kernel=3, stride=1, pad=1)) == "conv(kernel=3, pad=1, out=8)"
    assert registry["conv"](out=8, kernel=3).settings == {
        "kernel": 3,
        "stride": 1,
        "pad": 0,
        "dilation": 1,
        "out": 8,
        "groups": 1,
        "bias": True,
        "pad_mode": "zeros",
        "weight_norm": None,
        "gamma": 1.0,
        "eps": 1e-8,
        "relative": False,
        "fixed": False,
    }
