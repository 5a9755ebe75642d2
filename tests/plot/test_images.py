"""Every picture is the one that was looked at, is the same file each time, and can be read.

``--overwrite`` draws the baselines anew; look at them before they are kept.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import BytesIO
from itertools import combinations, pairwise
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text
from PIL import Image

from archcalc import plot
from archcalc.plot.labels import SIZE
from archcalc.plot.look import WIDTHS
from archcalc.plot.style import applied
from tests.plot.pictures import PICTURES, analyses, name_of
from tests.timing.round_device import ROUND

BASELINE = Path(__file__).parent / "baseline"
NEEDED = {"roofline": {"on": ROUND}}
"""Options that a kind needs."""
LEVELS = 1.0
"""Root mean square of the differences, of 256 levels: less than a label moved by a pixel."""


@pytest.fixture(scope="module", params=PICTURES, ids=name_of)
def picture(request: pytest.FixtureRequest) -> tuple[str, Figure]:
    """The name of a picture and its figure, drawn once for all tests of it, which therefore run one after the other."""
    kind, networks, options = request.param
    return name_of(request.param), plot.figure(kind, analyses(networks), **options)


def drawn(figure: Figure, path: Path) -> Path:
    """The figure as a small file: coarse, and in 64 colours."""
    with applied():
        stream = BytesIO()
        figure.savefig(stream, dpi=72, metadata={"Software": None})
    Image.open(stream).convert("RGB").quantize(64).save(path, optimize=True)
    return path


def test_the_picture_is_the_one_that_was_looked_at(picture, tmp_path, overwrite):
    name, figure = f"{picture[0]}.png", picture[1]
    now = drawn(figure, tmp_path / name)
    if overwrite:
        (BASELINE / name).write_bytes(now.read_bytes())
    expected = tmp_path / f"expected_{name}"
    expected.write_bytes((BASELINE / name).read_bytes())
    assert compare_images(str(expected), str(now), LEVELS) is None


def test_the_comparison_sees_a_small_change(tmp_path):
    figure = plot.figure("cost", analyses(("vgg16",)))
    before = drawn(figure, tmp_path / "before.png")
    label = next(text for text in figure.findobj(Text) if text.get_text() == "74 %")
    label.set_text("75 %")
    assert compare_images(str(before), str(drawn(figure, tmp_path / "after.png")), LEVELS) is not None


def test_every_baseline_is_of_a_picture():
    assert {path.stem for path in BASELINE.glob("*.png")} == {name_of(picture) for picture in PICTURES}


def texts(figure: Figure) -> list[Text]:
    """The texts that are drawn: of the ticks, those within the axes' limits."""
    figure.draw_without_rendering()
    drawn = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not (low <= tick.get_loc() <= high and axis.axes.axison):
                drawn = [text for text in drawn if text not in (tick.label1, tick.label2)]
    return drawn


def test_no_label_covers_another_or_leaves_the_page_which_is_a_column_of_readable_texts(picture):
    _, figure = picture
    assert figure.get_figwidth() == WIDTHS["column"]
    assert figure.get_figheight() < 9, "taller than a page"
    found = texts(figure)
    assert min(text.get_fontsize() for text in found) >= SIZE
    with applied():
        boxes = [(text.get_text(), Text.get_window_extent(text)) for text in found]
    page = figure.bbox
    for text, box in boxes:
        assert page.x0 - 1 <= box.x0, text
        assert box.x1 <= page.x1 + 1, text
        assert page.y0 - 1 <= box.y0, text
        assert box.y1 <= page.y1 + 1, text
    for (one, a), (other, b) in combinations(boxes, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(wide, high) < 2, f"{one!r} and {other!r} overlap by {wide:.1f} x {high:.1f} pixels"


@pytest.mark.parametrize("kind", [kind for kind in plot.KINDS if kind not in ("graph", "compare")])
def test_a_figure_is_the_same_picture_however_often_it_is_drawn(kind, tmp_path):
    """A layout that is computed anew for each drawing moves the axes a little each time."""
    subject = "front" if plot.KINDS[kind].of_table else "lenet5"
    figure = plot.figure(kind, [] if kind == "pattern" else analyses((subject,)), **NEEDED.get(kind, {}))
    first = drawn(figure, tmp_path / "first.png").read_bytes()
    figure.savefig(BytesIO(), format="pdf", dpi=50)
    assert drawn(figure, tmp_path / "second.png").read_bytes() == first


@pytest.mark.parametrize("kind", [kind for kind in plot.KINDS if kind not in ("graph", "pattern", "compare")])
def test_a_user_composes_pictures_in_axes_of_his_own(kind):
    figure = Figure(figsize=(10, 4))
    mine = list(figure.subplots(1, 3))
    ax = mine if kind == "cost" else mine[0]
    subject = "front" if plot.KINDS[kind].of_table else "vgg16"
    returned = getattr(plot, kind.replace("-", "_"))(*analyses((subject,)), ax=ax, **NEEDED.get(kind, {}))
    assert returned == ax
    figure.savefig(BytesIO(), format="png")
    assert not figure.texts, "the caption is the caller's"


def test_the_same_input_gives_the_same_bytes_whatever_the_settings_and_the_time(tmp_path):
    """In two fresh interpreters, with other hash seeds, other dates, and a user's own matplotlibrc."""
    code = """
import sys, archcalc, archcalc.plot as plot
for file in ("cost.png", "cost.svg", "cost.pdf", "rf-map.svg", "shape.svg"):
    plot.save(file.partition(".")[0], [archcalc.load("lenet5").analyze()], f"{sys.argv[1]}/{file}")
"""
    folders = []
    for nth, rc in enumerate(("", "font.size: 20\nlines.linewidth: 9\nsvg.fonttype: path\nbackend: svg\n")):
        folder = tmp_path / str(nth)
        folder.mkdir()
        (tmp_path / "matplotlibrc").write_text(rc)
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(nth),
            "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
            "SOURCE_DATE_EPOCH": str(10**9 * (nth + 1)),
        }
        subprocess.run([sys.executable, "-c", code, str(folder)], env=environment, check=True)
        folders.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(folders[0]) == 5
    assert folders[0] == folders[1]


def test_an_svg_is_text_with_a_title_and_no_date_and_many_share_a_page():
    first, second = (plot.svg("cost", analyses((name,))) for name in ("vgg16", "googlenet"))
    assert re.search(r">fc6</text>", first)
    assert "74 %" in first
    assert "<title>Cost by layer of VGG D (vgg16); input 3×224×224, batch 1, float32. Convention archcalc:" in first
    assert 'role="img"' in first
    assert first.startswith("<svg")
    assert "dc:date" not in first
    names = [re.findall(r' id="([^"]+)"', text) for text in (first, second)]
    assert len(set(names[0])) == len(names[0])
    assert not set(names[0]) & set(names[1])


def test_a_pdf_keeps_text_as_text():
    from archcalc.plot.kinds import file

    content = file("rf", analyses(("vgg16",)), "pdf")
    assert content.startswith(b"%PDF")
    assert b"/FontFile2" in content, "an embedded TrueType font"
    assert b"CreationDate" not in content


def lightness(colour: str) -> float:
    """CIE L*, from 0 (black) to 100 (white): what is left of a colour in a grey print."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return float(116 * luminance ** (1 / 3) - 16)


def test_lines_differ_without_colour():
    from archcalc.plot.style import LINES

    assert len({dash for _, dash, _ in LINES}) == len({marker for *_, marker in LINES}) == len(LINES) == 7
    first = [lightness(colour) for colour, *_ in LINES[:3]]
    assert min(abs(a - b) for a, b in combinations(first, 2)) > 15


def test_the_sorts_of_volumes_differ_in_grey():
    from archcalc.plot.volumes import COLOURS

    grey = sorted(lightness(COLOURS[sort]) for sort in ("input", "convolution", "pooling", "fully connected"))
    assert min(b - a for a, b in pairwise(grey)) > 5
