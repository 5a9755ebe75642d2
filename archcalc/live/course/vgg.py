"""The text of VGG-16, which two lessons share, and the paper."""

from __future__ import annotations

from archcalc.live.course.lesson import Source

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""The channels and the convolutions of each stage: configuration D of Table 1."""
END = ("  - flatten\n",)
POOLED_END = ("  - global_avg_pool\n", *END)


def vgg16(side: int, width: int = 4096, classes: int = 1000, end: tuple[str, ...] = END) -> str:
    """VGG-16 at an input size. width: the outputs of fc6 and fc7. end: the steps between the last map and fc6."""
    stages = [
        f"  - stage: {{n: {n}, out: {out}, convs: {convs}}}\n    label: conv{n}\n"
        for n, (out, convs) in enumerate(STAGES, 1)
    ]
    return "".join(
        [
            f"input: [3, {side}, {side}]\n",
            "blocks:\n",
            "  stage:\n",
            "    params: [n, out, convs]\n",
            "    layers:\n",
            "      - repeat: convs\n",
            "        layers:\n",
            "          - conv: {out: out, kernel: 3, pad: 1}\n",
            '            name: "conv{n}_{i}"\n',
            "          - relu\n",
            "      - max_pool: {kernel: 2, stride: 2}\n",
            '        name: "pool{n}"\n',
            "layers:\n",
            *stages,
            *end,
            f"  - linear: {{out: {width}}}\n    name: fc6\n",
            "  - relu\n",
            f"  - linear: {{out: {width}}}\n    name: fc7\n",
            "  - relu\n",
            f"  - linear: {{out: {classes}}}\n    name: fc8\n",
        ]
    )


def paper(where: str) -> Source:
    """The paper of VGG, with a place in it."""
    return Source(
        "Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR 2015, "
        f"arXiv:1409.1556: {where}",
        "https://arxiv.org/abs/1409.1556",
    )
