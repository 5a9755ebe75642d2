"""What random hands do in the page: edits of the text, and everything else that can be clicked, chosen or opened."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

from archcalc.conventions import FILES
from archcalc.dtypes import DTYPES
from archcalc.language import networks
from archcalc.live.desk import FIRST
from archcalc.memory.budget import OPTIMIZERS
from tests.fuzz.cases import INPUTS
from tests.fuzz.cases import text as drawn_text
from tests.fuzz.texts import NASTY, WORDS, damaged, damaged_tree, letters, pattern
from tests.live.watching import Watched

EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
LARGEST = 60_000
"""The characters above which a text is not edited further."""
HOSTILE = [
    f"title: {json.dumps(EVIL)}\ninput: [3, 8, 8]\nlayers:\n  - relu\n",
    'title: "\\u202edrow\\u2066 \\u0000\\u001b[31m"\ninput: [3, 8, 8]\nlayers:\n  - relu\n',
    f"input: [3, 8, 8]\nlayers:\n  - {json.dumps(EVIL)}: 3\n  - conv: {{out: {json.dumps(EVIL)}, kernel: 3}}\n",
    "title: " + "n" * 100_000 + "\ninput: [3, 8, 8]\nlayers:\n  - relu\n",
    "input: [3, 8, 8]\nlayers:\n  - relu\n    name: " + "n" * 100_000,
    "input: [3, 8, 8]\nparams: {__proto__: 3, constructor: 4}\nlayers:\n  - conv: {out: __proto__ * constructor, kernel: 1}\n",
    "input: [2000000000, 40000, 40000]\nparams: {w: 2000000000}\nlayers:\n  - conv: {out: w, kernel: 3}\n  - relu\n",
    "input: [3, 8, 8]\nparams: {w: 99999999999999999999, f: 1.0e+300}\nlayers:\n  - relu\n",
    "input: [3, 2000000000, 2000000000]\nlayers:\n  - {conv: {out: 4, kernel: 3, stride: 40000}, repeat: 2}\n",
    "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\nlayers: *a\n",
    "[" * 3_000,
    "{a: " * 2_000,
    "layers:\n" + "  - relu\n" * 500,
    "INPUT 8x8x3 -> [[[[[[CONV3-8 -> RELU]*9]*9]*9]*9]*9]*9",
    "INPUT 99999x99999x3 -> CONV3-8 -> POOL2",
    "\u0000\u0007\ufeff\u2028\u2029",
    "x" * 30_000,
]
FILES_DROPPED = {
    "a.yaml": "input: [3, 8, 8]\nlayers: [relu]\n",
    "b.cfg": "[net]\nchannels=3\nheight=8\nwidth=8\n[convolutional]\nfilters=4\nsize=3\nstride=1\nactivation=relu\n",
    f"{EVIL[:40]}.yaml": "input: [3, 8, 8]\nlayers: [relu]\n",
    "c.onnx": "\u0008\u0007\u0012",
    "d.png": "\u0089PNG\u0000",
    "": "",
}
CLICKED = {
    "a title of a column": "#layer-table thead button",
    "a row": "#layer-table tr[data-item]",
    "a fold": "#layer-table tr.block",
    "fold or unfold all": ".tools button",
    "a column": ".menu input",
    "a picture": "[role=tab]",
    "a problem": "#problems button",
    "a setting back": "#params .reset",
    "colours": "#theme",
    "settings": "#settings summary",
    "close": "#notice .close",
}
SET = """([name, value]) => {
    let e = name === 'run' ? document.querySelector(`input[name=run][value=${value}]`) : document.getElementById(name);
    if (!e || !e.checkVisibility()) return;
    if (name === 'run') return e.click();
    if (typeof value === 'number') value = e.options[Math.floor(value * e.options.length)]?.value ?? '';
    e.value = value;
    e.dispatchEvent(new Event(e.tagName === 'SELECT' ? 'change' : 'input', {bubbles: true}));
}"""
"""Changes one of the choices above. A number chooses an option by its share of the list."""


def fragment(state: object) -> str:
    """A link's fragment, as the page writes it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(json.dumps(state).encode()) + packer.flush()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def state_in(fragment: str) -> Any:
    """The state in a fragment."""
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4)), -15))


def mutated(random: Random, text: str, base: str) -> str:
    """The text after one edit: mostly a number, at times a mishap, a text of other kind, or the base again."""
    draw = random.random()
    if len(text) > LARGEST or draw < 0.3:
        return base
    numbers = list(re.finditer(r"\d+", text))
    if draw < 0.6 and numbers:
        one = random.choice(numbers)
        new = random.choice(["1", "3", "5", "8", "64", str(int(one[0][:12]) + 1), random.choice(NASTY)])
        return text[: one.start()] + new + text[one.end() :]
    if draw < 0.78:
        return damaged(random, text)
    if draw < 0.82:
        return damaged_tree(random)
    if draw < 0.88:
        return drawn_text(random)
    if draw < 0.93:
        return f"INPUT 32x32x3 -> {pattern(random, WORDS)}"
    if draw < 0.96:
        return random.choice(HOSTILE)
    at = random.randrange(len(text) + 1)
    return text[:at] + letters(random, 12) + text[at + random.randint(0, 20) :]


def difference(old: str, new: str) -> tuple[int, int, str]:
    """The piece of the old text that is replaced, in UTF-16 units, and what stands there in the new text."""
    before = 0
    while before < min(len(old), len(new)) and old[before] == new[before]:
        before += 1
    after = 0
    while after < min(len(old), len(new)) - before and old[-1 - after] == new[-1 - after]:
        after += 1
    return units(old[:before]), units(old[: len(old) - after]), new[before : len(new) - after]


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Hands:
    """Random hands at one page. ``text`` is the text that they believe to stand in the editor."""

    def __init__(self, page: Watched, random: Random) -> None:
        self.page, self.random = page, random
        self.nets = [net for net in networks() if net != FIRST]  # a site has the first one's answer stored
        self.text = self.base = page.watched_text()

    def edit(self) -> None:
        """Type one edit, or take the last edits back."""
        if self.random.random() < 0.05:
            self.page.editor.focus()
            for _ in range(self.random.randint(1, 3)):
                self.page.page.keyboard.press(self.random.choice(["Control+z", "Control+z", "Control+y"]))
            self.text = self.page.watched_text()
            return
        self.put(mutated(self.random, self.text, self.base))

    def calm(self) -> None:
        """Make most of it good again: the choices, and the text but for one number."""
        for name, value in (("batch", "2"), ("input", "")):
            self.page.page.evaluate(SET, [name, value])
        new = self.base
        numbers = list(re.finditer(r"(?<![\w.])\d+", new))
        if numbers:
            one = self.random.choice(numbers)
            new = f"{new[: one.start()]}{self.random.randint(1, 9)}{new[one.end() :]}"
        self.put(new)

    def put(self, new: str) -> None:
        first, last, piece = difference(self.text, new)
        if piece or last > first:
            self.page.type(first, last, piece)
        self.text = new.replace("\r\n", "\n").replace("\r", "\n")

    def other(self) -> None:
        """Do one thing that leaves the text as it is."""
        kind: Callable[[], None] = self.random.choice(
            [
                self.click,
                self.click,
                self.click,
                self.point,
                self.point,
                self.choose,
                self.choose,
                self.slide,
                self.search,
                self.compare,
            ]
        )
        kind()

    def click(self) -> None:
        place = self.random.choice(list(CLICKED.values()))
        self.page.page.evaluate(
            "([place, draw]) => { const all = [...document.querySelectorAll(place)].filter(one => one.checkVisibility());"
            " if (all.length) all[Math.floor(draw * all.length)].click(); }",
            [place, self.random.random()],
        )

    def point(self) -> None:
        """Move the pointer over the table or a picture, and at times press there."""
        box = self.page.page.evaluate(
            "place => { const e = document.querySelector(place); e.scrollIntoView({block: 'center'});"
            " const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; }",
            self.random.choice(["#layer-table", "#picture svg, #picture", ".window-area"]),
        )
        for _ in range(self.random.randint(1, 4)):
            x, y = (box[i] + self.random.random() * min(box[i + 2], 700) for i in (0, 1))
            self.page.page.mouse.move(x, y)
        if self.random.random() < 0.3 and box[3] > 100:
            self.page.page.mouse.click(x, y)

    def choose(self) -> None:
        """Change one of the choices above."""
        name, value = self.random.choice(
            [
                (
                    "batch",
                    self.random.choice(["1", "2", "64", "0", "-3", "", "1e9", "999999999999", "9007199254740991"]),
                ),
                ("input", self.random.choice(["", "", "3x64x64", *INPUTS])),
                ("dtype", self.random.choice(list(DTYPES))),
                ("convention", self.random.choice(list(FILES))),
                ("optimizer", self.random.choice(list(OPTIMIZERS))),
                ("run", self.random.choice(["true", "false"])),
                ("network", self.random.random()),
                ("metric", self.random.random()),
            ]
        )
        self.page.page.evaluate(SET, [name, value])

    def slide(self) -> None:
        """Move a slider of a spec parameter or of a unit, or type another value."""
        self.page.page.evaluate(
            """([draw, at, word]) => {
                const all = [...document.querySelectorAll('.param input, .param select, .unit input')].filter(one => one.checkVisibility());
                if (!all.length) return;
                const e = all[Math.floor(draw * all.length)];
                if (e.type === 'checkbox') return e.click();
                if (e.type === 'range') e.value = Number(e.min) + at * (Number(e.max) - Number(e.min));
                else if (e.tagName === 'SELECT') e.selectedIndex = Math.floor(at * e.options.length);
                else e.value = e.type === 'number' ? Math.floor(at * 64) : word;
                for (const type of ['input', 'change']) e.dispatchEvent(new Event(type, {bubbles: true}));
            }""",
            [self.random.random(), self.random.random(), self.random.choice(NASTY)],
        )

    def search(self) -> None:
        self.page.page.locator("#search").fill(
            self.random.choice(["", "", "conv", "relu 3", EVIL, letters(self.random, 5)])
        )

    def compare(self) -> None:
        field = self.page.page.get_by_role("combobox", name="Compare with")
        if not field.is_visible():
            return
        field.fill(self.random.choice(["", "", self.random.choice(self.nets), "INPUT 8x8x3 -> FC-10", *NASTY]))
        field.press("Enter")

    def go_elsewhere(self) -> None:
        """Bring another text into the page: a network of the zoo, a link, a file, or the page loaded again."""
        self.random.choice([self.preset, self.preset, self.open_link, self.drop])()

    def preset(self, net: str = "") -> None:
        net = net or self.random.choice(self.nets)
        field = self.page.page.locator("#preset input")
        field.fill(net)
        field.press("Enter")
        self.page.wait_for("n => watch.rests() && JSON.parse(watch.last).network === n", net)
        self.arrived()

    def open_link(self) -> None:
        """Follow a link whose text holds a number that no other text has."""
        state = {
            "text": drawn_text(self.random),
            "file": self.random.choice(["", "net.yaml"]),
            "training": self.random.random() < 0.3,
        }
        number = str(self.random.getrandbits(60))
        state["text"] = f"{state['text'].rstrip()}\n# {number}\n"
        self.page.page.evaluate("f => { location.hash = f; }", fragment(state))
        self.page.wait_for("n => watch.asked().includes(n)", number)
        self.page.at_rest()
        self.arrived()

    def drop(self) -> None:
        name = self.random.choice(list(FILES_DROPPED))
        self.page.page.evaluate(
            """([name, text]) => {
                const data = new DataTransfer();
                data.items.add(new File([text], name));
                document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
            }""",
            [name, FILES_DROPPED[name]],
        )
        self.page.wait_for("() => watch.open() === 0")
        self.page.at_rest()
        self.arrived()

    def reload(self) -> None:
        """Load the page again, mostly while it computes; the address has the text of the last rest."""
        self.page.page.reload()
        self.page.page.evaluate("watch.ready()")
        self.page.at_rest()
        self.arrived()

    def arrived(self) -> None:
        self.text = self.page.watched_text()
        if 0 < len(self.text) < LARGEST:
            self.base = self.text
