"""What a picture shows is what the literature or arithmetic says: read back from its bars, lines, discs and boxes."""

from __future__ import annotations

from itertools import pairwise
from math import isclose

import pytest

pytest.importorskip("matplotlib")

from matplotlib.colors import to_hex
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.text import Text

from archcalc import load, plot
from archcalc.memory.budget import Budget
from archcalc.memory.timeline import shown_moments
from archcalc.plot.boxes import MAP, box_of, is_bar, scale_for
from archcalc.plot.folding import BLOCK, finest, folded_graph, runs
from archcalc.plot.labels import short_names, wrapped
from archcalc.plot.layout import groups_of
from archcalc.plot.memory_timeline import SAMPLES
from archcalc.plot.style import spread
from archcalc.sizes import Shape
from tests.nets import CLIP, FPN, SIAMESE, SSD, THREE_INPUTS, UNET, network
from tests.plot.pictures import analysis
from tests.timing.round_device import ROUND
from tests.timing.test_time import ONE


def drawn(kind, *networks, **options):
    """The first axes of a figure."""
    return plot.figure(kind, [analysis(name) for name in networks], **options).axes


def labels(axes):
    return [text.get_text() for text in axes.findobj(Text)]


# cost

VGG16 = 138_357_544  # Simonyan and Zisserman 2015, Table 2 prints 138 million; to the unit in CS231n's notes
FC6 = 7 * 7 * 512 * 4096 + 4096


def test_cost_shows_that_74_percent_of_vgg16_is_in_fc6_and_its_memory_in_the_first_two_layers():
    params, macs, memory = drawn("cost", "vgg16")
    names = [text.get_text() for text in params.get_yticklabels()]
    bars = {name: bar.get_width() for name, bar in zip(names, params.patches, strict=True)}
    assert bars["fc6"] == FC6
    assert sum(bars.values()) == VGG16
    assert f"{FC6 / VGG16:.0%}" == "74%"
    assert "74 %" in labels(params)
    assert sum(bar.get_width() for bar in macs.patches) == 15_470_264_320  # CS231n's table, multiplied out
    held = {name: bar.get_width() for name, bar in zip(names, memory.patches, strict=True)}
    assert held["conv1_1"] == held["conv1_2"] == 4 * 64 * 224 * 224
    assert sum(held.values()) == 4 * 15_237_608  # what the course's rows add up to
    assert labels(memory).count("21 %") == 2  # 3,211,264 of 15,237,608 values, twice
    half = names.index("pool3")
    assert sum(bar.get_width() for bar in memory.patches[:half]) > 0.8 * sum(held.values())
    assert sum(bar.get_width() for bar in params.patches[:half]) < 0.02 * VGG16


@pytest.mark.parametrize(("name", "most"), [("resnet152", 9), ("densenet201", 11), ("lenet5", 8)])
def test_cost_folds_a_long_network_and_loses_nothing(name, most):
    for axes, total in zip(drawn("cost", name), ("params", "macs", "values"), strict=True):
        assert len(axes.patches) <= most
        size = 4 if total == "values" else 1
        assert sum(bar.get_width() for bar in axes.patches) == size * getattr(analysis(name).totals, total)


def test_cost_of_a_thousand_layers_without_blocks_is_folded_by_stage():
    deep = load("INPUT 8x8x4 -> [CONV3-4]*1000 -> POOL2 -> [CONV3-4]*1000").analyze()
    axes = plot.cost(deep)
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["8x8", "4x4"]
    assert "Folded by stage." in axes[0].figure.get_label()


# rf

VGG16_FIELDS = [
    3,
    5,
    6,
    10,
    14,
    16,
    24,
    32,
    40,
    44,
    60,
    76,
    92,
    100,
    132,
    164,
    196,
    212,
]  # by the recurrence r + (k-1)j


def test_rf_draws_the_fields_of_vgg16_against_its_13_convolutions():
    (ax,) = drawn("rf", "vgg16")
    depth, field = ax.lines[0].get_data()
    assert sorted(set(field)) == [1, *VGG16_FIELDS]
    behind = dict(zip(depth, field, strict=True))  # at each depth the last: behind the pooling, where there is one
    assert behind == dict(enumerate([1, 3, 6, 10, 16, 24, 32, 44, 60, 76, 100, 132, 164, 212]))
    assert [line.get_ydata()[0] for line in ax.lines[1:]] == [224]
    assert "input 224" in labels(ax)
    assert {"224×224", "112×112", "56×56", "28×28", "14×14"} <= set(labels(ax))


def test_rf_draws_the_course_s_alexnet():
    """Its growth as the course teaches it: 11, 19, 51, 67, 99, 131, 163, 195."""
    (ax,) = drawn("rf", "alexnet")
    assert sorted(set(ax.lines[0].get_ydata())) == [1, 11, 19, 51, 67, 99, 131, 163, 195]


def test_rf_shows_the_smallest_path_beside_the_largest():
    """Behind its stem a residual network's shortcuts add nothing but where they subsample with a window of 1."""
    (ax,) = drawn("rf", "resnet152")
    largest, smallest = ax.lines[0].get_ydata(), ax.lines[1].get_ydata()
    assert smallest[-1] == 11  # 7x7 of stride 2, then a pool of 3: 7 + 2*2
    assert largest[-1] == 1507  # Araujo, Norris and Sim, Distill 2019: resnet_v1_152
    assert ax.lines[0].get_xdata()[-1] == 151


def test_rf_of_several_networks_has_a_line_for_each_and_one_for_each_input():
    (ax,) = drawn("rf", "lenet5", "vgg16", "alexnet")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["lenet5", "vgg16", "alexnet"]
    assert [line.get_ydata()[0] for line in ax.lines[3:]] == [32, 224, 227]
    assert len({(line.get_color(), line.get_linestyle(), line.get_marker()) for line in ax.lines[:3]}) == 3


def test_rf_past_gates_is_the_field_that_grows():
    """Squeeze and excitation sees the whole 224 pixels; Tan and Le's kernels and strides alone give 851."""
    (ax,) = drawn("rf", "efficientnet_b0")
    field = list(ax.lines[0].get_ydata())
    assert field == sorted(field)
    assert field[-1] == 851
    assert "Past the gates of efficientnet_b0" in ax.figure.get_label()
    assert "Past the gates" not in drawn("rf", "vgg16")[0].figure.get_label()


def test_rf_of_networks_of_uneven_depth_has_a_logarithmic_depth():
    assert drawn("rf", "lenet5", "resnet152")[0].get_xscale() == "log"
    assert drawn("rf", "vgg16", "googlenet")[0].get_xscale() == "linear"


def test_rf_of_a_decoder_goes_on_to_its_end():
    """Two convolutions of 3 at each of 32, 16, 8: 5, 6, 14, 16, 32 pixels; up again the field cannot shrink."""
    made = plot.rf(network(UNET, "unet").analyze())
    field = list(made.lines[0].get_ydata())
    assert {1, 3, 5, 6, 10, 14, 16, 24, 32} <= set(field)
    assert {"32×32", "16×16", "8×8"} <= set(labels(made))
    assert labels(made).count("32×32") == labels(made).count("16×16") == 2


def test_rf_of_a_clip_names_its_axes():
    """A kernel of [1, 3, 3] sees no more along depth: 1, 3, 4, 4, 6, 14 there; 1, 3, 4, 8, 10, 18 along the others."""
    made = plot.rf(network(CLIP, "clip").analyze())
    lines = {line.get_label(): sorted(set(line.get_ydata())) for line in made.lines if line.get_label()[:1] != "_"}
    assert lines == {"largest path, depth": [1, 3, 4, 6, 14], "largest path, height, width": [1, 3, 4, 8, 10, 18]}


def test_a_legend_says_what_was_set():
    made = plot.rf(load("vgg11").analyze(), load("vgg11", classes=10).analyze())
    assert [text.get_text() for text in made.get_legend().get_texts()] == ["vgg11", "vgg11@classes=10"]


def test_rf_of_axes_that_differ_has_a_line_for_each(tmp_path):
    spec = tmp_path / "wide.yaml"
    spec.write_text("input: [1, 16, 32]\nlayers:\n  - conv: {out: 1, kernel: [3, 5]}\n")
    ax = plot.rf(load(str(spec)).analyze())
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[1, 3], [1, 5]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["largest path, height", "largest path, width"]


def test_rf_says_what_is_a_bound(tmp_path):
    spec = tmp_path / "up.yaml"
    spec.write_text(
        "input: [1, 9, 9]\nlayers:\n  - add:\n      a:\n        - conv: {out: 1, kernel: 1, stride: 2}\n"
        "      b:\n        - adaptive_avg_pool: {out: 5}\n"
    )
    assert "Bounds, not exact sizes: up" in plot.rf(load(str(spec)).analyze()).figure.get_label()


# rf-map


def test_rf_map_draws_what_the_middle_unit_sees(tmp_path):
    """Unit 4 of an 8-wide map, window 3, one zero of padding: columns 3, 4 and 5. Unit 2 after pooling: 3 to 6."""
    spec = tmp_path / "tiny.yaml"
    spec.write_text(
        "input: [1, 8, 8]\nlayers:\n  - conv: {out: 1, kernel: 3, pad: 1}\n    name: c\n"
        "  - max_pool: {kernel: 2, stride: 2}\n    name: p\n"
    )
    ax = plot.rf_map(load(str(spec)).analyze(), layers=["p", "c"])
    boxes = [(p.get_x(), p.get_y(), p.get_width(), p.get_height()) for p in ax.patches if isinstance(p, Rectangle)]
    assert boxes == [(3, 3, 4, 4), (3, 3, 3, 3), (0, 0, 8, 8)]
    assert ax.get_aspect() == 1
    assert {"4×4 p", "3×3 c", "input 8×8"} <= set(labels(ax))


def test_rf_map_chooses_ends_of_stages_and_the_first_field_that_covers_the_input():
    (ax,) = drawn("rf-map", "resnet152")
    assert [text for text in labels(ax) if "×" in text and "input" not in text] == [
        "1507×1507 * conv5_3.add",
        "1315×1315 * conv4_36.add",
        "227×227 conv4_2.add",
        "163×163 conv3_8.add",
        "35×35 conv2_3.add",
        "7×7 conv1",
    ]
    assert "*: too large to be drawn." in ax.figure.get_label()


def test_rf_map_where_every_field_is_larger_than_is_drawn():
    ax = plot.rf_map(load("INPUT 8x8x1 -> CONV31-1").analyze())
    assert "31×31 * conv1" in labels(ax)
    assert ax.get_xlim()[0] < 0 < 8 < ax.get_xlim()[1] < 9


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v2", "efficientnet_b0"])
def test_no_two_fields_of_a_map_have_one_label(name):
    (ax,) = drawn("rf-map", name)
    told = [text for text in labels(ax) if "×" in text and "input" not in text and "What" not in text]
    names = [text.split(" ", 1)[1] for text in told]
    assert len(names) >= 5
    assert len(set(names)) == len(names)


def test_the_middle_unit_of_an_even_map_is_the_one_nearest_to_the_middle():
    """VGG-16 at conv5_3: 14 units a step of 16 apart see 196 pixels each; unit 6 the pixels 6 to 201, unit 7 22 to 217."""
    ax = plot.rf_map(analysis("vgg16"), layers=["conv5_3"])
    box = next(p for p in ax.patches if isinstance(p, Rectangle))
    left, right = box.get_x(), box.get_x() + box.get_width() - 1
    assert (right - left + 1, abs(left + right - 223)) == (196, 16)
    assert "the unit nearest to the middle is drawn" in ax.figure.get_label()


# shape


@pytest.mark.parametrize("text", [UNET, FPN, SSD])
def test_shape_of_decoders_and_detectors_stays_on_the_page_and_letters_its_skips(text):
    made = plot.shape(network(text).analyze())
    low, high = made.get_xlim()
    for patch in made.patches:
        assert low - 0.1 <= patch.get_extents().transformed(made.transData.inverted()).x1 <= high + 0.1
    letters = [text for text in labels(made) if text in ("a", "b", "c") or ("," in text and len(text) < 6)]
    assert "a" in letters
    assert "A letter marks both ends of a skip" in made.figure.get_label()


@pytest.mark.parametrize(("text", "names"), [(SIAMESE, {"right"}), (THREE_INPUTS, {"mask", "age"})])
def test_shape_names_every_input_and_the_caption_has_all_sizes(text, names):
    made = network(text).analyze()
    ax = plot.shape(made)
    assert names <= set(labels(ax))
    for name, shape in made.inputs.items():
        assert f"{name} {shape}".replace("x", "×") in ax.figure.get_label().replace("\n", " ")


def test_an_input_stands_before_the_block_that_reads_it():
    items = folded_graph(network(SIAMESE).analyze(), 1)
    assert [item.name for item in items[:5]] == ["left", "a.conv1", "a.pool", "a.conv2", "right"]
    assert all(i < at for at, item in enumerate(items) for i in item.inputs)


def test_shape_has_the_colours_of_its_legend_on_the_largest_faces():
    (ax,) = drawn("shape", "vgg16")
    told = {to_hex(patch.get_facecolor()) for patch in ax.get_legend().get_patches()}
    faces = sorted((p for p in ax.patches if isinstance(p, Polygon)), key=lambda p: -area(p.get_xy()))
    assert {to_hex(face.get_facecolor()) for face in faces[:3]} <= told


def area(corners):
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*corners, corners[0]]))) / 2


def test_shape_draws_height_width_and_channels_to_scale():
    scale = scale_for([Shape(3, (224, 224)), Shape(64, (112, 56)), Shape(4096)])
    large, half, vector = (box_of(s, scale) for s in (Shape(3, (224, 224)), Shape(64, (112, 56)), Shape(4096)))
    assert isclose(large.height, MAP)
    assert isclose(large.height / half.height, 224 / 112)
    assert isclose(large.slant / half.slant, 224 / 56)
    assert isclose(half.front / large.front, 64 / 3)
    assert isclose(vector.height / half.front, 4096 / 64)
    assert is_bar(Shape(2048, (1, 1)))


def test_shape_draws_one_frame_of_a_clip():
    scale = scale_for([Shape(3, (300, 112, 112)), Shape(64, (16, 56, 28))])
    clip, half = (box_of(s, scale) for s in (Shape(3, (300, 112, 112)), Shape(64, (16, 56, 28))))
    assert isclose(clip.height, MAP)
    assert (clip.height / half.height, clip.slant / half.slant) == pytest.approx((2, 4))


@pytest.mark.parametrize(
    ("name", "maps"),
    [
        # Fan et al., Multiscale vision transformers, 2021, section 3.2: every stage halves height and width
        ("mvit_v1_b", ["16×224×224", "8×56×56", "8×28×28", "8×14×14", "8×7×7", "vector"]),
        # Dosovitskiy et al., 2021, section 3.1: patches of 16 pixels
        ("vit_b_16", ["224×224", "14×14", "vector"]),
    ],
)
def test_shape_draws_tokens_as_their_map_and_counts_equal_blocks_alone(name, maps):
    (ax,) = drawn("shape", name)
    sizes = [text.get_text() for text in ax.texts if text.get_style() == "italic"]
    assert list(dict.fromkeys(sizes)) == maps
    assert not any(" ×" in text.get_text() for text in ax.texts)  # attention and MLP are not two equal blocks


def test_shape_draws_every_volume_of_vgg16():
    (ax,) = drawn("shape", "vgg16")
    fronts = [p.get_xy() for p in ax.patches if isinstance(p, Polygon)]
    assert len(fronts) == 3 * (1 + 13 + 5) + 3  # front, top and side of the input, the convolutions and the poolings
    channels = [int(text) for text in labels(ax) if text.isdigit()]
    stages = [*[64] * 3, *[128] * 3, *[256] * 4, *[512] * 8]  # with their poolings
    assert channels == [3, *stages, 4096, 4096, 1000]


def test_shape_draws_the_branches_of_an_inception_module_above_each_other():
    """Szegedy et al. 2015, Table 1, row 3a: 64; 96, 128; 16, 32; pool, 32; together 256."""
    items = finest(analysis("googlenet"), 100)
    (module,) = [g for g in groups_of(items) if items[g.end].name == "inception_3a.concat"]
    widths = [[[items[at].shape.channels for at in column] for column in branch] for branch in module.branches]
    assert widths == [[[64]], [[96], [128]], [[16], [32]], [[192], [32]]]
    assert items[module.end].shape.channels == 256


def test_shape_draws_a_shortcut_around_its_branch():
    items = finest(analysis("resnet18"), 100)
    bypassed = [items[group.end].name for group in groups_of(items) if group.bypass]
    assert bypassed == ["conv2_1.add", "conv2_2.add", "conv3_2.add", "conv4_2.add", "conv5_2.add"]


def test_folding_keeps_every_layer_and_names_how_often_a_block_repeats():
    """He et al. 2016, Table 1: 3, 8, 36 and 3 units."""
    items = folded_graph(analysis("resnet152"), 1)
    assert sum(len(item.rows) for item in items) == len(analysis("resnet152").rows)
    assert [item.repeats for item in items if item.sort == BLOCK] == [3, 8, 36, 3]


def test_a_network_of_many_layers_is_drawn_by_stage():
    """Two stages of a hundred convolutions, with and without blocks around them: the stages have their own names."""
    items = finest(load("INPUT 8x8x4 -> [CONV3-4]*100 -> POOL2 -> [CONV3-4]*100").analyze(), 20)
    assert [(item.name, item.scopes, item.inputs) for item in items] == [("8×8", (), ()), ("4×4", (), (0,))]
    items = finest(analysis("resnet152"), 7)
    sizes = ["112×112", "56×56", "28×28", "14×14", "7×7"]
    assert [item.name for item in items] == ["input", *sizes, "avgpool", "vector"]  # a layer by itself keeps its name
    assert all(item.scopes == () for item in items)


def test_runs_join_units_of_the_same_layers():
    """The first unit of a stage has a projection, the others are alike."""
    items = runs(folded_graph(analysis("resnet152"), 2, alone=True))
    assert [(item.name, item.repeats) for item in items if item.scopes == ("conv4_x",)] == [
        ("conv4_1", 1),
        ("conv4_2 … conv4_36", 35),
    ]
    assert sum(len(item.rows) for item in items) == len(analysis("resnet152").rows)


# compare


def test_compare_places_each_network_at_its_accuracy_and_macs_with_its_parameters_as_area():
    (ax,) = drawn("compare", "resnet50", "resnet152")
    (discs,) = ax.collections
    assert [tuple(at) for at in discs.get_offsets()] == [
        (analysis("resnet50").totals.macs, pytest.approx(100 - 22.85)),  # He et al. 2016, Table 3
        (analysis("resnet152").totals.macs, pytest.approx(100 - 21.43)),
    ]
    small, large = discs.get_sizes()
    assert small / large == pytest.approx(25_557_032 / 60_192_808)  # torchvision's resnet50 and resnet152
    assert ax.get_ylabel() == "top-1 accuracy [%]"
    assert "He et al., CVPR 2016" in ax.figure.get_label()


SOURCES = {
    ("resnet50", "resnet34", "resnet18", "vgg11_bn", "googlenet"): "He et al., CVPR 2016, Table 3; torchvision 0.29, "
    "ResNet18_Weights.IMAGENET1K_V1, VGG11_BN_Weights.IMAGENET1K_V1; Szegedy et al., CVPR 2015, Table 3.",
    ("plain18", "resnet50"): "He et al., CVPR 2016, Table 2, Table 3.",
    ("vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"): "torchvision 0.29.",
}


@pytest.mark.parametrize("networks", SOURCES)
def test_compare_names_every_source_and_each_paper_once(networks):
    (ax,) = drawn("compare", *networks)
    caption = " ".join(" ".join(text.get_text() for text in ax.figure.texts).split())
    assert caption.split("Sources: ")[1] == SOURCES[networks]


def test_compare_takes_top_5_where_the_paper_has_no_top_1():
    (ax,) = drawn("compare", "googlenet", "vgg16")
    assert ax.get_ylabel() == "top-5 accuracy [%]"
    assert sorted(y for _, y in ax.collections[0].get_offsets()) == pytest.approx([100 - 10.07, 100 - 8.8])


# pattern


def test_pattern_has_27_c2_against_49_c2():
    """Simonyan and Zisserman 2015, section 2.3: 3 (3² C²) = 27 C² and 7² C² = 49 C², 81 % more."""
    (ax,) = drawn("pattern")
    ends = {line.get_label(): line.get_ydata()[-1] for line in ax.lines}
    assert ends == {
        "2 of 3×3: field 5×5, 18 C²": 18 * 512**2,
        "1 of 5×5: field 5×5, 25 C²": 25 * 512**2,
        "3 of 3×3: field 7×7, 27 C²": 27 * 512**2,
        "1 of 7×7: field 7×7, 49 C²": 49 * 512**2,
    }
    assert round(100 * (49 / 27 - 1)) == 81


# memory and budget


def top_of(ax):
    """The most bytes that the stack of a memory picture reaches."""
    return max(band.get_xy()[:, 1].max() for band in ax.patches)


@pytest.mark.parametrize(
    ("name", "peak"),  # a dispatch-mode tracker of PyTorch's live storages on torchvision's models
    [("alexnet_tv", 1_334_272), ("vgg16", 25_690_112), ("resnet50_tv", 9_633_792)],
)
def test_memory_stacks_up_to_the_peak_that_pytorch_holds(name, peak):
    (ax,) = drawn("memory", name)
    assert top_of(ax) == peak
    assert f"Peak: {peak:,} bytes" in ax.figure.get_label()


def test_memory_names_what_is_alive_at_the_peak_of_vgg16():
    """The maps before and after the second convolution: 64 x 224 x 224 numbers of 4 bytes each."""
    one = 4 * 64 * 224 * 224
    assert (
        f"Alive at the peak, in bytes: conv1_1 {one:,}, conv1_2 {one:,}."
        in drawn("memory", "vgg16")[0].figure.get_label()
    )


@pytest.mark.parametrize("name", ["lenet5", "resnet152", "densenet201"])
def test_memory_loses_no_peak_where_tensors_and_moments_are_drawn_together(name):
    (ax,) = drawn("memory", f"{name} in training")
    assert top_of(ax) == Budget(load(name), "float32").training.peak()


def test_memory_shows_the_least_and_the_most_of_every_part_of_time():
    """DenseNet-201 in training: more than 1,000 moments, whose rhythm the drawn ones must have."""
    schedule = Budget(load("densenet201"), "float32").training
    live = schedule.live(1)
    drawn_at = shown_moments(live, SAMPLES)
    assert len(live) > 2 * 300
    assert drawn_at == sorted(drawn_at)
    for part in range(300):
        low, high = part * len(live) // 300, (part + 1) * len(live) // 300
        shown = [live[at] for at in drawn_at if low <= at < high]
        assert (min(shown), max(shown)) == (min(live[low:high]), max(live[low:high]))
    assert shown_moments(live[:600], SAMPLES) == list(range(600))


def test_memory_names_both_shades():
    (ax,) = drawn("memory", "vgg16")
    shades = {to_hex(patch.get_facecolor()) for patch in ax.patches}
    assert len(shades) > 1
    assert shades <= {to_hex(patch.get_facecolor()) for patch in ax.get_legend().findobj(Patch)}


@pytest.mark.parametrize(
    ("name", "band"), [("vgg16", "one tensor"), ("resnet50", "all tensors of one kind in one block")]
)
def test_memory_says_what_a_band_is(name, band):
    assert f" A band is {band}. " in drawn("memory", name)[0].figure.get_label()


def test_a_small_budget_has_ticks_within_a_power_of_ten():
    """From half of the activations of one image to four times the card's 2 GiB lie fewer than three powers of ten."""
    (ax,) = drawn("budget", "vgg16", fit="2GiB")
    low, high = ax.get_ylim()
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
    assert ticks == [5e7, 1e8, 2e8, 5e8, 1e9, 2e9, 5e9]


def test_budget_marks_the_largest_batch_that_fits():
    (ax,) = drawn("budget", "vgg16", fit="24GiB")
    held = Budget(load("vgg16"), "float32")
    batch = held.largest_training(24 * 2**30)
    assert f"24GiB: batch {batch} fits" in labels(ax)
    total = ax.lines[0]
    assert total.get_label() == "training, total"
    drawn_at = dict(zip(*total.get_data(), strict=True))
    assert drawn_at[batch] <= 24 * 2**30 < held.training_parts(batch + 1).total
    weights = next(line for line in ax.lines if line.get_label() == "weights and buffers")
    assert set(weights.get_ydata()) == {4 * VGG16}


@pytest.mark.parametrize("name", ["resnet152", "vgg16", "lenet5"])
def test_no_curve_of_a_budget_leaves_the_axes(name):
    (ax,) = drawn("budget", name, fit="24GiB" if name != "lenet5" else "64MB")
    low, _ = ax.get_ylim()
    assert (
        min(n for line in ax.lines if not line.get_label().startswith("_") for n in line.get_ydata() if n == n) >= low
    )


def test_budget_adds_up():
    """What is drawn apart is what is drawn in total; Adam keeps two numbers a weight and counts its steps."""
    (ax,) = drawn("budget", "vgg16", optimizer="adam", overhead="500MB")
    lines = {line.get_label(): line.get_ydata() for line in ax.lines if not line.get_label().startswith("_")}
    parts = [lines[name] for name in lines if "total" not in name]
    assert len(parts) == 5
    assert [sum(at) for at in zip(*parts, strict=True)] == list(lines["training, total"])
    assert set(lines["optimizer state"]) == {2 * 4 * VGG16 + 4 * 2 * 16}  # 16 layers, each with weights and biases
    assert set(lines["overhead"]) == {500_000_000}


# places of labels


def test_labels_are_moved_as_little_as_keeps_them_apart():
    assert spread([1.0, 1.1, 5.0], 1.0, 0.0, 10.0) == [0.55, 1.55, 5.0]
    assert spread([0.0, 0.1], 1.0, 0.0, 10.0) == [0.0, 1.0]
    assert spread([9.9, 9.95], 1.0, 0.0, 10.0) == [9.0, 10.0]
    assert spread([], 1.0, 0.0, 1.0) == []


# roofline


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_layer_lies_on_the_roof_that_limits_it(batch):
    """A 3x3 convolution from 256 to 512 channels on 4x4: at batch 1, its 512x256x9 weights of 4 bytes are the limit."""
    operations = 2 * 512 * 256 * 9 * 16 * batch
    moved = 4 * ((256 + 512) * 16 * batch + 512 * 256 * 9)
    ax = plot.roofline(network(ONE, "one").analyze(batch=batch), on=ROUND)
    (marks,) = ax.collections
    ((intensity, rate),) = marks.get_offsets()
    assert isclose(intensity, operations / moved)
    assert isclose(rate, 1e12 if batch == 1000 else 1e11 * intensity)
    memory, peak = (line.get_xydata() for line in ax.lines)
    assert all(isclose(y, 1e11 * x) for x, y in memory)
    assert [y for _, y in peak] == [1e12, 1e12]
    assert memory[-1][0] == peak[0][0] == 10  # where the roofs meet: 1e12 / 1e11
    took, relu = operations / rate, 2 * 4 * 512 * 16 * batch / 1e11
    assert {
        "float32 1 TFLOPS",
        "memory 100 GB/s",
        "conv",
        f"one: {took / (took + relu):.0%} of its time".replace("%", " %"),
    } <= set(labels(ax))


def test_areas_are_times_over_all_networks():
    """The second network does the convolution of the first twice as fast as its own, of twice the channels."""
    nets = [network(ONE.replace("512", str(out)), name) for out, name in ((512, "narrow"), (1024, "wide"))]
    narrow, wide = plot.roofline(*(net.analyze(batch=10**6) for net in nets), on=ROUND).collections
    assert isclose(2 * narrow.get_sizes()[0], wide.get_sizes()[0])


def test_a_roofline_has_the_roof_of_every_dtype_of_the_run():
    (ax,) = drawn("roofline", "mobilenet_v2", on=ROUND, amp=True)
    assert {"float16 4 TFLOPS", "float32 1 TFLOPS"} <= set(labels(ax))


def test_captions_are_wrapped_between_words():
    lines = wrapped("one two three four five six seven", 0.8)
    assert " ".join(lines) == "one two three four five six seven"
    assert len(lines) > 2


# transformers and detectors


def test_a_transformers_last_block_has_its_own_shape_and_no_block_is_repeated_inside():
    """The class token is cut from the map behind the last block. A block is attention and an MLP: not the same twice."""
    items = {item.name: item for item in finest(analysis("vit_b_16"), 16)}
    assert items["block12"].shape == items["block1"].shape == Shape(768, (197,))
    assert {items[f"block{nth}"].repeats for nth in range(1, 13)} == {1}
    assert [item.scopes for item in finest(analysis("vit_b_16"), 30)[-3:]] == [("block12",), ("block12",), ()]


def test_blocks_of_one_name_are_counted():
    items = {item.name: item for item in finest(analysis("resnet152"), 10)}
    assert [items[f"conv{nth}_x"].repeats for nth in (2, 3, 4, 5)] == [3, 8, 36, 3]  # He et al. 2016, Table 1


def test_tokens_are_in_the_band_of_their_map():
    (ax,) = drawn("rf", "vit_b_16")
    assert [text.get_text() for text in ax.texts if "×" in text.get_text()] == ["14×14"]


def test_the_heads_of_a_detector_have_one_name_and_no_size():
    (ax,) = drawn("shape", "small fpn")
    shown = labels(ax)
    assert "heads" in shown
    assert [text for text in shown if "16×16" in text] == [
        "16×16",
        "16×16",
    ]  # at the start of a row, and m1 in the next
    (ax,) = drawn("rf", "small ssd")
    assert "Without the heads." in " ".join(" ".join(labels(ax.figure)).split())


NAMES = [
    (["stage3.block6.attend.add"], ["stage3.block6…add"]),
    (["stage3.block6.attend.add", "stage3.block6.expand.add"], ["stag3.bloc6.atte.add", "stag3.bloc6.expa.add"]),
    (["conv1", "block1.msa.add"], ["conv1", "block1.msa.add"]),
]


@pytest.mark.parametrize(("names", "short"), NAMES)
def test_a_long_name_keeps_its_outer_block_and_its_layer(names, short):
    assert short_names(names, 1.15) == short


def test_a_long_signal_is_cut_so_that_its_features_are_seen():
    """A sound of 16,000 values, of which wav2vec 2.0 makes 49 positions."""
    signal, features = Shape(1, (16000,)), Shape(768, (49,))
    scale = scale_for([signal, features])
    assert box_of(signal, scale).cut
    assert isclose(box_of(signal, scale).height, box_of(features, scale).height)
    assert not box_of(features, scale).cut
    alone = scale_for([signal, Shape(8, (8000,)), features])
    assert not box_of(signal, alone).cut
