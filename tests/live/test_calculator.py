"""The answers of the page's calculator are those of the command line."""

from __future__ import annotations

import base64
import json

import pytest

from archcalc.cli.names import conventions
from archcalc.language import networks
from archcalc.live.calculator import OPERATIONS, answer
from archcalc.live.columns import ABOUT
from archcalc.report.layers import COLUMNS
from tests.live.asking import TINY, ask, problems, state, told
from tests.live.commands import printed
from tests.live.zoo import differing

PATTERN = "INPUT 32x32x3 -> [CONV3-8 -> RELU]*2 -> FC-10"


def from_command(*words):
    return json.loads(printed(*words, "--format", "json"))


@pytest.mark.parametrize(
    "net",
    [
        *("lenet5", "alexnet", "vgg16", "googlenet", "resnet50@option=c,classes=10", "densenet121", "unet", "unet_3d"),
        *("fasterrcnn_resnet50_fpn", "swin_t", "mobilenet_v2", "wav2vec2_base", "yolov3", PATTERN),
    ],
)
def test_the_table_is_that_of_the_command_line(net):
    """All networks of the zoo: python -m tests.live.zoo."""
    assert list(differing([net])) == []


@pytest.mark.parametrize(
    ("net", "options", "changed"),
    [
        ("googlenet", ["--training", "--batch", "4"], {"training": True, "batch": 4}),
        ("resnet50_tv", ["--as", "fvcore", "--dtype", "float16"], {"convention": "fvcore", "dtype": "float16"}),
        ("vgg16", ["--as", "cs231n", "--input", "3x112x96"], {"convention": "cs231n", "input": "3x112x96"}),
        ("vgg16", ["--set", "depths=[1,1,1,1,1]"], {"settings": {"depths": [1, 1, 1, 1, 1]}}),
        ("vgg16", ["--set", "depths=[1,1,1,1,1]"], {"settings": {"depths": "[1, 1, 1, 1, 1]"}}),
        ("mobilenet_v2", ["--set", "width=0.5"], {"settings": {"width": 0.5}}),
    ],
)
def test_every_choice_is_an_option_of_the_command_line(net, options, changed):
    found = told("analyze", state=state(net) | changed)
    assert found["table"] == from_command("table", net, "--columns", ",".join(COLUMNS), *options)


def test_a_changed_text_is_a_file_of_ones_own(tmp_path):
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    found = told("analyze", state={"text": TINY, "file": "tiny.yaml", "convention": "fvcore"})
    assert found["table"] == from_command("table", str(file), "--columns", ",".join(COLUMNS), "--as", "fvcore")


def test_memory_is_that_of_the_command_line():
    found = told("memory", state=state("googlenet") | {"training": True, "optimizer": "adam", "batch": 8})
    for run, options in (("inference", []), ("training", ["--training", "--optimizer", "adam"])):
        lines = printed("memory", "googlenet", "--batch", "8", *options)
        assert found[run]["lines"][0] in lines
        moments = found[run]["moments"]
        assert max(alive for _, _, _, alive, _ in moments) == found[run]["peak"]["bytes"]
        assert all(sum(by_role) == alive for _, _, _, alive, by_role in moments)
        assert f"{found[run]['peak']['bytes']:,}" in lines
    assert found["training"]["turn"] < found["training"]["count"]
    assert told("memory", state=state("lenet5") | {"dtype": "int8", "training": True})["training"] is None


def test_fields_are_those_of_the_command_line():
    found = told("field", state=state("alexnet"))
    rows = from_command("rf", "alexnet", "--all-layers")["rows"]
    assert [(one["name"], one["size"]) for one in found["growth"]] == [(row["layer"], [row["rf"]] * 2) for row in rows]
    text = printed("rf", "alexnet")
    assert [line for line in found["lines"] if line not in text] == []
    smallest = told("field", state=state("alexnet"), smallest=True)["lines"]
    assert [line for line in smallest if line not in text] == []
    assert [line for line in smallest if line not in found["lines"]] == [
        "smallest square input without idle layers: 164x164"
    ]
    unit = told("window", state=state("alexnet"), layer=found["growth"][8]["layer"], unit=[3, 4])
    name = found["growth"][8]["name"]
    rows = from_command("rf", "alexnet", "--layer", name, "--unit", "3,4")["rows"]
    assert [(one["first"], one["last"], one["size"]) for one in unit["axes"]] == [
        (row["first"], row["last"], row["rf"]) for row in rows
    ]
    assert [one["inside"] for one in unit["axes"]] == [[row["input_first"], row["input_last"]] for row in rows]


def test_a_vector_sees_one_window():
    found = told("window", state=state("vgg16"), layer=len(told("analyze", state=state("vgg16"))["layers"]) - 1)
    assert found["unit"] is None
    assert found["lines"] == ["fc8 is a vector of 1000: every value sees the same pixels"]
    assert [(one["first"], one["last"], one["inside"]) for one in found["axes"]] == [(0, 223, [0, 223])] * 2


def test_a_difference_is_that_of_the_command_line():
    found = told("diff", state=state("resnet50_tv") | {"compare": "resnet50@option=c", "batch": 2})
    assert found["diff"] == from_command("diff", "resnet50@option=c", "resnet50_tv", "--batch", "2")


@pytest.mark.parametrize(
    ("format", "words"),
    [
        *((name, ("table", "googlenet", "--format", name)) for name in ("markdown", "csv", "latex", "json", "text")),
        ("torch", ("export", "googlenet", "--to", "torch")),
        ("yaml", ("show", "googlenet")),
    ],
)
def test_an_export_is_that_of_the_command_line(format, words):
    assert told("export", state=state("googlenet"), format=format)["text"] == printed(*words)


def test_a_pattern_is_exported_as_a_spec():
    text = told("export", state={"text": PATTERN}, format="yaml")["text"]
    assert text == printed("show", PATTERN, "--expanded")


def test_the_start_lists_what_there_is():
    found = told("start")
    assert [one["name"] for one in found["conventions"]] == list(conventions())
    assert [one["key"] for one in found["columns"]] == list(COLUMNS)
    assert COLUMNS.keys() <= ABOUT.keys()
    for format in found["formats"]:
        assert told("export", state={"text": TINY}, format=format)["text"]


def test_the_zoo_is_the_zoo():
    found = {one["name"]: one for one in told("zoo")["networks"]}
    assert list(found) == list(networks())
    assert found["vgg16"] == {
        "name": "vgg16",
        "title": "VGG D",
        "year": 2014,
        "input": "3x224x224",
        "family": "vgg",
    }


def test_layers_know_their_rows_and_lines():
    found = told("analyze", state=state("googlenet"))
    rows = found["table"]["rows"]
    lines = state("googlenet")["text"].split("\n")
    for layer in found["layers"]:
        assert layer["side"] if layer["row"] < 0 else rows[layer["row"]]["layer"] == layer["name"]
        assert layer["type"] == "input" or layer["type"] in lines[layer["line"] - 1]
    assert [heading["key"] for heading in found["headings"]] == list(rows[0])
    layers = told("analyze", state={"text": PATTERN})["layers"]
    assert [layer["column"] for layer in layers] == [0, 19, 30, 19, 30, 41, 41]
    assert [PATTERN[layer["column"] - 1 :].split(" ")[0] for layer in layers[1:3]] == ["CONV3-8", "RELU]*2"]


def test_all_problems_come_at_once_with_their_lines():
    text = TINY.replace("flatten", "flaten").replace("kernel: k", "kernal: k").replace("width: 4 ", "width: 4 4 ")
    found = problems("analyze", state={"text": text})
    assert [line for line, _ in found] == [11, 23]
    assert found[1] == (23, "unknown layer or block 'flaten'; did you mean 'flatten'?")
    two = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 8, kernel: 9}\n  - max_pool: {kernel: 2, stride: 2}\n  - conv: {out: 0}\n"
    assert [line for line, _ in problems("analyze", state={"text": two})] == [5, 5]
    assert problems("analyze", state={"text": "input: [3, 8\nlayers: []"})[0][0] == 2


def test_a_problem_in_a_pattern_has_its_column():
    (problem,) = ask("analyze", state={"text": "INPUT 8x8x3 ->\n  CONV3-8 -> RELO"})["problems"]
    assert (problem["line"], problem["column"]) == (2, 14)
    assert problem["text"].startswith("unknown layer 'RELO'")


def test_what_the_text_no_longer_has_is_left_out():
    found = told("analyze", state={"text": TINY, "network": "gone", "settings": {"depth": 3, "width": 8}})
    assert found["notes"] == ["the text has no network 'gone'", "not in the text, so not set: depth"]
    assert found["params"][0]["value"] == 8


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"batch": 0}, "batch: must be at least 1, got 0"),
        ({"batch": True}, "batch: expected a whole number, got true"),
        ({"batch": 1.5}, "batch: expected a whole number, got 1.5"),
        ({"dtype": "float31"}, "unknown dtype 'float31'; did you mean 'float32'?"),
        ({"convention": "fvcor"}, "unknown convention 'fvcor'; did you mean 'fvcore'?"),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'; did you mean 'adam'?"),
        ({"training": 1}, "training: expected true or false, got 1"),
        (
            {"input": "8x8x3"},
            "tiny takes channels x height x width, got 8x8x3, where its 3 channels stand in another place",
        ),
        ({"settings": {"width": 10**30}}, "width: expected a number, true or false, a word or a list of these"),
        ({"settings": {"width": {"a": 1}}}, "width: expected a number, true or false, a word or a list of these"),
        ({"settings": {"width": 3}}, "width must be even"),
        ({"settings": {"width": "wide"}}, "width=wide: expected a whole number as in width=4"),
        ({"settings": []}, "settings: expected at most 500 values by name"),
        ({"text": 5}, "a state needs the text of a spec, or a one-line pattern"),
        ({"text": "x" * 1_000_001}, "the text is larger than 1,000,000 bytes"),
        ({"text": " \n"}, "the spec is empty"),
        ({"unknown": 1}, "unknown part of a state 'unknown'"),
    ],
)
def test_a_wrong_state_gets_a_sentence(changed, sentence):
    found = problems("analyze", state={"text": TINY, "file": "tiny.yaml"} | changed)
    assert sentence in found[0][1]


@pytest.mark.parametrize(
    "net", ["/etc/passwd", "./vgg.yaml", "torch:os:getcwd", "timm:resnet18", "a.onnx", "-", "vgg61", ""]
)
def test_no_file_is_read_by_name_and_no_model_is_run(net):
    for found in (problems("spec", net=net), problems("diff", state={"text": TINY, "compare": net})):
        assert len(found) == 1
    assert "did you mean 'vgg16'?" in problems("spec", net="vgg61")[0][1]


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ([], "a request is a mapping with an op, got []"),
        ({"op": "analyse"}, "unknown operation 'analyse'; did you mean 'analyze'?"),
        ({"op": 3}, "unknown operation '3'"),
        ({"op": "analyze"}, "a state is a mapping with a text, got nothing"),
        (
            {"op": "window", "state": {"text": TINY}, "layer": 99},
            "layer: expected the number of a layer, up to 8, got 99",
        ),
        (
            {"op": "window", "state": {"text": TINY}, "layer": 1, "unit": [99, 0]},
            "unit 99,0 is not in the map of unit1.c1",
        ),
        (
            {"op": "window", "state": {"text": TINY}, "layer": 1, "unit": "a"},
            "unit: expected a position such as [3, 4]",
        ),
        ({"op": "export", "state": {"text": TINY}, "format": "docx"}, "unknown format 'docx'"),
        (
            {"op": "complete", "state": {"text": TINY}, "line": 0, "column": 1},
            "line: expected a number from 1 on, got 0",
        ),
        ({"op": "diff", "state": {"text": TINY}}, "name a network to compare with"),
    ],
)
def test_a_wrong_request_gets_a_sentence(request_, sentence):
    found = answer(request_)
    assert not found["ok"]
    assert found["problems"][0]["text"].startswith(sentence)


PROTOTXT = """name: "net"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 } }
"""
CFG = "[net]\nchannels=3\nheight=8\nwidth=8\n[convolutional]\nfilters=4\nsize=3\nstride=1\nactivation=relu\n"


@pytest.mark.parametrize(
    ("name", "text", "file", "params"),
    [
        ("my.yaml", TINY, "my.yaml", 5602),
        ("my.txt", TINY, "my.txt", 5602),
        ("..\\a/net.prototxt", PROTOTXT, "net.yaml", 112),
        ("net.txt", PROTOTXT, "net.yaml", 112),
        ("yolo.cfg", CFG, "yolo.yaml", 112),
    ],
)
def test_a_dropped_file_becomes_a_spec(name, text, file, params):
    for sent in ({"text": text}, {"base64": base64.b64encode(text.encode()).decode()}):
        found = told("drop", name=name, **sent)["state"]
        assert found["file"] == file
        assert told("analyze", state=found)["table"]["totals"]["params"] == params


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"name": "a.pt", "text": "x"}, "a.pt: a model of PyTorch, whose reading would run its code"),
        ({"name": "a.png", "base64": "iVBORw0K"}, "a.png:1: is not UTF-8 text"),
        ({"name": "a.onnx", "base64": "iVBORw0K"}, "a.onnx: is no ONNX file, or not a whole one"),
        ({"name": "a.onnx", "base64": ""}, "a.onnx: the file is empty"),
        ({"name": "a.yaml", "base64": "%"}, "base64: expected the bytes of a file in base64"),
        ({"name": "a.yaml"}, "a file is dropped as a text, or as bytes in base64"),
        ({"name": "", "text": TINY}, "name: expected the name of a file"),
        ({"name": "a.cfg", "text": CFG + "[gru]\n"}, "a.cfg:10: [gru]: a recurrent layer has no counterpart"),
    ],
)
def test_another_file_gets_a_sentence(sent, sentence):
    assert sentence in problems("drop", **sent)[0][1]


def test_every_operation_is_tested_here_or_is_the_course():
    here = (
        "start",
        "zoo",
        "spec",
        "analyze",
        "memory",
        "field",
        "window",
        "complete",
        "hover",
        "diff",
        "export",
        "drop",
    )
    assert list(OPERATIONS) == [*here, "course"]
