"""The course on the page: a link to a question, guesses, hints and numbers, by keyboard alone and for everybody."""

from __future__ import annotations

import pytest

from tests.live.test_page_reach import AXE


def follow(live, question, kind):
    """Wait for a verdict on a question, and give its text."""
    verdict = live.page.locator(f"#question-{question} .verdict[data-kind={kind}]")
    verdict.wait_for()
    return verdict.inner_text()


def axe(live):
    if not AXE.exists():
        pytest.skip("no axe-core: npm ci, in live/")
    if not live.page.evaluate("'axe' in window"):
        live.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = live.page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]


def test_a_student_follows_a_link_guesses_asks_for_hints_and_changes_the_numbers(open_page):
    """By keyboard alone, from a teacher's link to a question with numbers to the network in the editor."""
    live = open_page(fragment="course=alexnet.conv1&side=224", viewport={"width": 1280, "height": 850})
    page, keys = live.page, live.page.keyboard
    live.wait_for("() => document.activeElement.id === 'q-alexnet-1'")  # the field of the question that the link names
    assert not page.locator("#editing, #settings, #preset").first.is_visible()
    assert "an input with a side of 224" in page.locator("label[for=q-alexnet-1]").inner_text()
    assert axe(live) == []

    keys.type("56")  # 224 / 4
    keys.press("Enter")
    assert "take the kernel from the input first" in follow(live, "alexnet-1", "wrong")
    hints = page.locator("#question-alexnet-1 .hints")
    keys.press("Tab")
    keys.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Hint: the formula"
    keys.press("Enter")
    assert hints.inner_text().startswith("side = floor((input + pad + pad - kernel) / stride) + 1")
    keys.press("Enter")
    assert "floor((224 + 0 + 0 - 11) / 4) + 1 = ?" in hints.inner_text()
    assert str((224 - 11) // 4 + 1) not in hints.inner_text()
    keys.press("Enter")
    assert f"Answer: {(224 - 11) // 4 + 1} positions." in hints.inner_text()
    assert page.locator("#question-alexnet-1 .done").inner_text() == "answer shown"

    page.locator("#q-alexnet-2").focus()
    keys.type("banana")
    keys.press("Enter")
    assert "cannot be read as an answer" in follow(live, "alexnet-2", "unread")
    keys.press("Control+A")
    keys.type(str((224 - 11) % 4))
    keys.press("Enter")
    follow(live, "alexnet-2", "right")
    assert page.locator(".lessons [aria-current] + .soft").inner_text() == "1 of 6 solved"

    page.locator("#course-pad").focus()  # every answer that is open follows the numbers
    keys.press("Control+A")
    keys.type("2")
    live.wait_for(
        "() => document.querySelector('#question-alexnet-1 .hints').textContent.includes('Answer: 55 positions')"
    )
    assert (224 + 2 + 2 - 11) // 4 + 1 == 55
    assert "side=224&pad=2" in page.url
    page.locator("#course-side").fill("1000000000000")
    live.wait_for(
        "() => document.getElementById('course-problem').textContent.includes('whole number from 1 to 1,024')"
    )
    assert page.locator("#course-side").get_attribute("aria-invalid") == "true"
    page.locator("#course-side").fill("20")
    live.wait_for(
        "() => document.querySelector('#question-alexnet-6 .bad-text').textContent.includes('the kernel spans')"
    )
    assert axe(live) == []

    page.locator("#course-side").fill("224")
    live.wait_for("() => location.hash.includes('side=224')")
    page.get_by_role("button", name="Open in the editor").click()
    live.wait_for(
        "() => document.querySelector('#layer-table tr[data-item]') && !document.getElementById('editing').hidden"
    )
    assert "conv: {out: 96, kernel: 11, stride: 4, pad: 2}" in live.text()
    page.go_back()
    live.wait_for(
        "() => !document.getElementById('course').hidden && document.title.startsWith('The sizes of AlexNet')"
    )
    assert "Answer: 55 positions" in hints.inner_text()

    page.reload()  # the progress of a student stays in the browser
    live.wait_for("() => document.querySelector('.lessons .soft')?.textContent === '1 of 6 solved'")
    assert page.locator("#question-alexnet-2 .done").inner_text() == "✓ solved"
    page.get_by_role("button", name="Forget my progress").click()
    assert page.locator(".done", has_text="solved").count() == 0
    page.get_by_role("link", name="Editor").click()
    live.ready()
    assert live.card("parameters") == "138.358 M"


def test_the_course_in_the_dark_on_a_phone_and_on_paper(open_page):
    live = open_page(fragment="course=fc6", viewport={"width": 380, "height": 800}, color_scheme="dark", has_touch=True)
    live.page.wait_for_selector(".question")
    questions = 0
    for lesson in ("fc6", "vgg-memory", "stack", "inception", "alexnet"):
        live.page.evaluate("l => { location.hash = `course=${l}`; }", lesson)
        live.page.wait_for_selector(f"#question-{lesson}-1 .hint")
        live.page.evaluate(
            "for (const b of document.querySelectorAll('button.hint')) [1, 2, 3].forEach(() => b.click())"
        )
        assert live.page.locator(".answer").count() == live.page.locator(".question").count()
        assert live.page.evaluate("document.documentElement.scrollWidth") <= 380
        questions += live.page.locator(".question").count()
    assert questions >= 30
    assert axe(live) == []
    live.page.evaluate("location.hash = 'course=stack.more'")
    live.wait_for("() => document.activeElement.id === 'q-stack-4'")
    live.page.keyboard.type("81 %")
    live.page.keyboard.press("Enter")
    follow(live, "stack-4", "right")
    live.page.emulate_media(media="print")
    assert not live.page.locator("#course button").first.is_visible()
    assert live.page.locator("#question-stack-4 .answer").is_visible()
    live.page.emulate_media(media="screen")

    for fragment, said, instead in (
        ("course=alexnt", "did you mean 'alexnet'?", "alexnet"),
        ("course=fc6&side=nine", "expected a whole number from 32 to 1,024, got 'nine'", "fc6"),
        ("course=alexnet.conv9", 'The lesson has no question "conv9".', "alexnet"),
    ):
        live.page.evaluate("f => { location.hash = f; }", fragment)
        live.wait_for("t => document.getElementById('notice').textContent.includes(t)", said)
        live.page.wait_for_selector(f"#question-{instead}-1")

    # the page writes the address of the lesson that it shows while a link is followed: the link counts
    live.page.evaluate(
        "() => { location.hash = 'course=fc6'; history.replaceState(null, '', location.href.replace('fc6', 'alexnet')); }"
    )
    live.page.wait_for_selector("#question-fc6-1")
    live.wait_for("() => location.hash === '#course=fc6'")
