"""What holds for every convention, and the sources of those that no tool can be run for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import archcalc
from archcalc.analysis.explanation import explain
from archcalc.conventions import FILES, convention, conventions
from archcalc.conventions.source_style import FORMS, RF_BENCHMARK, TORCHVISION, source_style
from archcalc.published.figures import load_figures
from archcalc.published.quantities import Calculator
from archcalc.witness.models import NETWORKS

NETS = (
    "lenet5",
    "alexnet_grouped",
    "vgg11_bn",
    "googlenet",
    "densenet121",
    "convnext_tiny",
    "efficientnet_b0",
    "shufflenet_v2_x0_5",
    "resnet50",
)


@pytest.mark.parametrize("how", conventions.values(), ids=lambda how: how.name)
def test_the_terms_add_up_to_the_table(how) -> None:
    """The steps of explain, and the rows of the table under the same convention."""
    for name in NETS:
        network = archcalc.load(name)
        totals, found = network.analyze(convention=how).totals, explain(network, how)
        assert found.total("operations") == totals.macs
        assert found.total("memory") == totals.values
        side = sum(step.amount for step in found.terms["parameters"] if step.label.startswith("side heads"))
        assert found.total("parameters") - side == totals.params


@pytest.mark.parametrize("how", conventions.values(), ids=lambda how: how.name)
def test_arrays_count_as_their_elements(how) -> None:
    np = pytest.importorskip("numpy")
    sizes = np.array([64, 96, 128])
    network = archcalc.load("resnet18")
    many = network.analyze(input=(3, sizes, sizes), batch=np.array([1, 2, 3]), convention=how).totals
    for at, size in enumerate(sizes.tolist()):
        one = network.analyze(input=(3, size, size), batch=at + 1, convention=how).totals
        assert np.broadcast_to(many.macs, 3)[at] == one.macs
        assert np.broadcast_to(many.values, 3)[at] == one.values
        assert np.broadcast_to(many.params, 3)[at] == one.params


@pytest.mark.parametrize("how", conventions.values(), ids=lambda how: how.name)
def test_it_says_where_it_comes_from(how) -> None:
    assert how.about
    assert how.source
    for tally in (how.operations, how.parameters, how.memory):
        assert all(term.label for term in (*tally.terms, *tally.omissions))
        if how.version and "commit" not in how.version:
            assert all(term.place for term in (*tally.terms, *tally.omissions)), how.name


def test_every_file_is_listed_with_its_conventions() -> None:
    shared = {"__init__", "convention", "counts", "source_style"}
    files = {path.stem for path in Path(archcalc.conventions.__file__).parent.glob("*.py")} - shared
    listed: dict[str, list[str]] = {}
    for name, file in FILES.items():
        listed.setdefault(file, []).append(name)
    assert set(listed) == files
    for file, names in listed.items():
        assert [one.name for one in import_module(f"archcalc.conventions.{file}").CONVENTIONS] == names


def test_a_convention_is_loaded_alone() -> None:
    code = (
        "import sys, archcalc; archcalc.load('vgg16').analyze().totals; archcalc.convention('thop');"
        "print(*sorted(name.split('.')[-1] for name in sys.modules if name.startswith('archcalc.conventions.')))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) == {"archcalc", "thop", "convention", "counts", "source_style"}


def test_not_counted_is_not_zero() -> None:
    """fvcore leaves a ReLU out, counts a normalisation, and finds nothing to count in a flatten."""
    analysis = archcalc.load("resnet18").analyze(convention="fvcore")
    counts = {row.type: row.macs for row in analysis.rows}
    assert counts["relu"] is None
    assert counts["batch_norm"] == 2 * 512 * 49
    assert counts["flatten"] == 0


def test_an_unknown_one_names_the_nearest() -> None:
    with pytest.raises(archcalc.ArchcalcError, match=r"unknown convention 'fvcor'; did you mean 'fvcore'\?"):
        convention("fvcor")
    with pytest.raises(archcalc.ArchcalcError, match=r"known: archcalc, paper, cs231n, .*torchsummary"):
        convention("qqqqqq")


# How code is written.


def test_every_rule_is_about_layers_that_a_network_has() -> None:
    for network in NETWORKS.values():
        code, found = source_style(network), [(n.layer.type, n.name) for n in archcalc.load(network).nodes]
        for rule in code.rules:
            assert rule.form in FORMS
            assert any(code.form(*one) == (rule.form, rule.wrappers) for one in found), (network, rule)


def test_each_network_is_written_in_one_way() -> None:
    from fnmatch import fnmatchcase

    for network in NETWORKS.values():
        assert sum(fnmatchcase(network, name) for code in TORCHVISION.styles for name in code.networks) <= 1
    for network in {figure.subject.network for figure in load_figures() if figure.source.key == "rf_repo"}:
        assert sum(fnmatchcase(network, name) for code in RF_BENCHMARK.styles for name in code.networks) == 1


# Sources: printed figures.


def operations(name: str, how: str, **options) -> int:
    return explain(archcalc.load(name, **options), convention(how)).total("operations")


def test_receptive_field_repository() -> None:
    """All FLOPs of RECEPTIVE_FIELD_TABLE.md, in billions: 187 end points of 19 networks at 224 and at 321."""
    calculator, found = Calculator(), [f for f in load_figures() if f.source.key == "rf_repo" and f.quantity == "flops"]
    assert len(found) == 2 * 187
    assert len({figure.subject.network for figure in found}) == 19
    for figure in found:
        count = sum(row.macs or 0 for row in calculator.rows(figure.subject, "rf-repo"))
        assert f"{count / 1e9:.3f}" == figure.printed.text, figure.subject


@pytest.mark.parametrize(
    ("name", "last", "at_224", "at_321"),
    [
        # tf.compat.v1.profiler of TensorFlow 2.15.1 on TF-Slim 1.1.0's networks, built as rf_calculatormark.py builds them,
        # without the statistics of AddV2, which TensorFlow 1.15 has not (it has those of Add)
        ("alexnet_slim", "pool3", 1_380_096_000, None),
        ("vgg11", "pool5", 14_984_460_288, 30_582_787_520),
        ("vgg16", "pool5", 30_712_930_304, 62_729_006_592),
        ("bn_inception_slim", "inception_5b.concat", 3_883_498_528, 8_625_623_888),
        ("inception_v3", "mixed_7c.concat", 5_688_570_352, 12_726_794_544),
        ("resnet50_slim", "conv5_3.relu", 6_962_572_288, 15_628_843_712),
        ("resnet101_slim", "conv5_3.relu", 14_387_014_656, 32_333_839_040),
        ("resnet152_slim", "conv5_3.relu", 21_811_457_024, 48_853_891_776),
        ("resnet200_slim", "conv5_3.relu", 28_799_167_488, 63_836_469_952),
        ("preact_resnet50_slim", "conv5_3.add", 6_969_346_048, 15_643_464_960),
        ("preact_resnet101_slim", "conv5_3.add", 14_397_200_384, 32_356_137_216),
        ("preact_resnet152_slim", "conv5_3.add", 21_825_857_536, 48_885_503_232),
        ("preact_resnet200_slim", "conv5_3.add", 28_819_990_528, 63_881_852_160),
    ],
)
def test_the_profiler_behind_it(name: str, last: str, at_224: int, at_321: int | None) -> None:
    for size, counted in ((224, at_224), (321, at_321)):
        rows = archcalc.load(name).analyze(input=(3, size, size), convention="rf-repo").rows
        end = [row.name for row in rows].index(last)
        assert counted in (None, sum(row.macs or 0 for row in rows[: end + 1]))


def test_a_normalisation_is_free_there_unless_a_bias_stands_in_for_it() -> None:
    """ResNet-50's is an operation of its own, without statistics; Inception v3's script has none."""
    assert "batch_norm" in explain(archcalc.load("resnet50"), convention("rf-repo")).not_counted
    inception = explain(archcalc.load("inception_v3"), convention("rf-repo"))
    assert "batch_norm" not in inception.not_counted
    assert "add" in explain(archcalc.load("resnet50"), convention("rf-repo")).not_counted


@pytest.mark.parametrize(
    ("name", "flops", "memory"),
    [
        # albanie/convnet-burden, README: FLOPS and feature memory, MB being 2^20
        ("vgg16", "16 G", 58),
        ("vgg19", "20 G", 63),
        ("resnet18", "2 G", 23),
        ("resnet34", "4 G", 35),
        ("resnet50", "4 G", 103),
        ("resnet101", "8 G", 155),
        ("resnet152", "11 G", 219),
        ("resnext50_32x4d", "4 G", 132),
        ("resnext101_32x4d", "8 G", 197),
        ("resnext101_64x4d", "16 G", 273),
        ("inception_v3", "6 G", 89),
        ("squeezenet1_1", "360 M", 17),
    ],
)
def test_convnet_burden(name: str, flops: str, memory: int) -> None:
    totals = archcalc.load(name).analyze(convention="convnet-burden").totals
    number, unit = flops.split()
    assert f"{totals.macs / {'M': 1e6, 'G': 1e9}[unit]:.0f}" == number
    assert round(4 * totals.values / 2**20) == memory


def test_convnet_burden_squeezenet() -> None:
    """The README's 837 MFLOPS; its 30 MB does not follow from the network, which holds 29."""
    totals = archcalc.load("squeezenet1_0").analyze(convention="convnet-burden").totals
    assert round(totals.macs / 1e6) == 837
    assert round(4 * totals.values / 2**20) == 29


@pytest.mark.parametrize(
    ("name", "macc", "params"),
    [
        # dgschwend/zynqnet, topo-comparison/networks.xlsx: MACCs and parameters in M
        ("vgg16", "15470", "138.3"),
        ("resnet50", "3870", "25.6"),
        ("squeezenet1_0_caffe", "860", "1.2"),
        ("squeezenet1_1_caffe", "390", "1.2"),
        ("nin", "1100", "7.6"),
    ],
)
def test_netscope(name: str, macc: str, params: str) -> None:
    totals = archcalc.load(name).analyze(convention="netscope").totals
    assert f"{round(totals.macs, -7) / 1e6:.0f}" == macc
    assert f"{totals.params / 1e6:.1f}" == params


@pytest.mark.parametrize(
    ("name", "settings", "params"),
    [
        # keras.applications, summary(): total parameters
        ("vgg16", {}, 138_357_544),
        ("densenet121", {}, 8_062_504),
        ("mobilenet_v2", {}, 3_538_984),
        ("inception_v3", {"gamma": False}, 23_851_784),
    ],
)
def test_keras(name: str, settings: dict, params: int) -> None:
    assert archcalc.load(name, **settings).analyze(convention="keras").totals.params == params


def test_timm_as_printed() -> None:
    """4.11 GMACs of ResNet-50 and 13.56 M activations of VGG-16, as its tables print."""
    assert round(operations("resnet50_tv", "timm") / 1e9, 2) == 4.11
    assert round(archcalc.load("vgg16").analyze(convention="timm").totals.values / 1e6, 2) == 13.56


def test_lenet5_as_its_paper_counts() -> None:
    """340,908 connections, the 840 of the output codes included."""
    assert operations("lenet5", "lecun98") == 340_908
