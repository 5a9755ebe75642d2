"""The answers of the page's calculator are those of the command line."""

from __future__ import annotations

import json

import pytest

from archcalc.live.calculator import answer, answer_text
from archcalc.report.layers import COLUMNS

ALL = ",".join(COLUMNS)


def state(net):
    return answer({"op": "spec", "net": net})["state"]


@pytest.mark.parametrize(
    "net",
    [
        *("lenet5", "alexnet", "vgg16", "googlenet", "resnet50@option=c,classes=10", "densenet121", "unet"),
        *("fasterrcnn_resnet50_fpn", "swin_t", "mobilenet_v2", "INPUT 32x32x3 -> [CONV3-8 -> RELU]*2 -> FC-10"),
    ],
)
def test_the_table_is_that_of_the_command_line(net, archcalc):
    found = json.loads(answer_text(json.dumps({"op": "analyze", "state": state(net)})))
    _, printed, _ = archcalc("table", net, "--columns", ALL, "--format", "json")
    assert found["table"] == json.loads(printed)
