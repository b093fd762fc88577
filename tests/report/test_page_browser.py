# ruff: noqa: E501 (scripts for the browser)
"""The page in a real browser: no error, no overflow, sorting, search, print, accessibility."""

import os
import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_pages import Pages
from hostile import EMOJI, FORMULA, HTML, LONG
from playwright.sync_api import expect, sync_playwright

# A browser has a glyph for an emoji, the figures' fonts have none.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:no installed font has the characters 🏫"),
]

WIDE, NARROW = 1280, 390
PLANS = [("plain", "en"), ("plain", "zh"), ("hostile", "en"), ("hostile", "zh")]
CASES = [*PLANS, ("compared", "en"), ("compared", "zh"), ("hopeless", "en"), ("hopeless", "zh")]

OVERFLOW = """() => {
  const found = [];
  const seen = (at) => at.checkVisibility() && at.getBoundingClientRect().width > 0;
  const said = (at) => at.tagName + '.' + at.className + ': ' + at.textContent.trim().slice(0, 60);
  if (document.documentElement.scrollWidth > innerWidth) found.push('page is wider than its window');
  for (const at of document.querySelectorAll('body *')) {
    if (!seen(at) || at.closest('.skip')) continue;
    const style = getComputedStyle(at), box = at.getBoundingClientRect();
    const words = [...at.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
    const within = at.closest('.scroll');
    if (words && !within && (box.right > innerWidth + 1 || box.left < -1)) found.push('out ' + said(at));
    if (words && style.overflow !== 'visible' && style.overflowX !== 'auto' && at.tagName !== 'SELECT'
        && at.tagName !== 'INPUT' && (at.scrollWidth > at.clientWidth + 1 || at.scrollHeight > at.clientHeight + 1))
      found.push('cut ' + said(at));
    if (words && at.tagName !== 'OPTION' && style.display !== 'inline' && at.scrollWidth > at.clientWidth + 1
        && style.overflowX === 'visible') found.push('spills ' + said(at));
  }
  const texts = [...document.querySelectorAll('h1,h2,h3,p,li,td,th,dt,dd,summary,label,figcaption,.tools button')]
    .filter((at) => seen(at) && !at.closest('.skip'));
  const boxes = texts.map((at) => at.getBoundingClientRect());
  const order = texts.map((_, at) => at).sort((a, b) => boxes[a].top - boxes[b].top);
  for (let i = 0; i < order.length; i++) for (let j = i + 1; j < order.length; j++) {
    const a = boxes[order[i]], b = boxes[order[j]];
    if (b.top >= a.bottom - 1) break;
    const one = texts[order[i]], other = texts[order[j]];
    if (one.contains(other) || other.contains(one)) continue;
    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1) {
      const clip = (at) => { const s = at.closest('.scroll'); return s ? s.getBoundingClientRect() : null; };
      const [p, q] = [clip(one), clip(other)];
      if (p !== null && q === null && Math.max(b.left, a.left) > p.right - 1) continue;
      if (q !== null && p === null && Math.max(b.left, a.left) > q.right - 1) continue;
      found.push('overlap ' + said(one) + ' / ' + said(other));
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def chromium():
    path = os.environ.get("CAPSIM_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def files(tmp_path_factory, worker_id) -> Pages:
    """Pages by name and language."""
    own = tmp_path_factory.getbasetemp()
    return Pages((own if worker_id == "master" else own.parent) / "pages")


@pytest.fixture
def opened(chromium, files):
    """Open a page; at the end it must have said nothing on the console nor asked the network."""
    contexts, said = [], []

    def open_page(name="plain", lang="en", width=WIDE, at=""):
        context = chromium.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda request: said.append(request.url[:80]))
        page.on(
            "request",
            lambda request: request.url[:5] in ("file:", "data:") or said.append(request.url),
        )
        page.goto(files[name, lang].as_uri() + at)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def rows(page, table):
    return page.locator(f"#{table} tbody tr").all_inner_texts()


def column(page, table, at):
    return page.locator(f"#{table} tbody td:nth-child({at})").all_inner_texts()


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("name", "lang"), CASES)
def test_nothing_overflows_overlaps_or_is_cut(opened, name, lang, width):
    page = opened(name, lang, width)
    assert page.evaluate(OVERFLOW) == []
    page.evaluate("document.querySelectorAll('details').forEach((at) => { at.open = true; })")
    if (name, lang) in PLANS:
        page.evaluate("location.hash = '#county-2'")
        assert page.locator("#county-2").is_visible()
    assert page.evaluate(OVERFLOW) == []


def test_what_goes_on_beyond_the_edge_fades_until_one_is_there(opened):
    page = opened(width=NARROW)
    box = page.locator("[data-table=ledger] .scroll")
    faded = re.compile(r"\bmore\b")
    expect(box).to_have_class(faded)
    box.evaluate("(at) => { at.scrollLeft = at.scrollWidth; }")
    expect(box).not_to_have_class(faded)
    expect(opened(width=WIDE).locator("[data-table=targets] .scroll")).not_to_have_class(faded)


def test_the_check_of_overflow_sees_what_it_should(opened):
    page = opened()
    page.evaluate("document.querySelector('h1').style.marginBottom = '-3rem'")
    assert any(text.startswith("overlap") for text in page.evaluate(OVERFLOW))
    page.evaluate("document.querySelector('h2').style.width = '200vw'")
    assert "page is wider than its window" in page.evaluate(OVERFLOW)
    page.evaluate(
        "Object.assign(document.querySelector('.verdict').style, {overflow: 'hidden', height: '1rem'})"
    )
    assert any(text.startswith("cut") for text in page.evaluate(OVERFLOW))


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_what_the_script_writes_is_what_the_page_said_before(chromium, files, opened, name, lang):
    context = chromium.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(files[name, lang].as_uri())
    page = opened(name, lang)
    for table in page.locator("[data-table] table").all():
        table = table.get_attribute("id")
        texts = [found.locator(f"#{table} tbody td").all_text_contents() for found in (still, page)]
        assert texts[0] == texts[1], table
    context.close()


def test_tables_sort_up_and_down_by_mouse_and_keyboard(opened):
    page = opened()
    head = page.locator("#balances thead th", has_text="children")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    up = [int(text.replace(",", "")) for text in column(page, "balances", 5)]
    assert up == sorted(up)
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    down = [int(text.replace(",", "")) for text in column(page, "balances", 5)]
    assert down == sorted(down, reverse=True)
    assert max(up) < max(down)
    project = page.locator("#ledger thead th").first
    project.get_by_role("button").focus()
    page.keyboard.press("Space")
    names = column(page, "ledger", 1)
    assert names == sorted(names)
    assert page.locator("#ledger th[aria-sort]").count() == 1


def test_dates_with_chances_sort_by_date_and_blanks_come_last(opened):
    page = opened()
    head = page.locator("#ledger thead th", has_text="up to standard")
    at = 1 + page.locator("#ledger thead th").all_inner_texts().index(head.inner_text())
    head.get_by_role("button").click()
    dates = column(page, "ledger", at)
    assert dates == sorted(dates)
    assert dates[0].endswith("70 %")


def test_tables_are_searched_chosen_from_and_paged(opened):
    page = opened()
    box = page.locator("[data-table=ledger]")
    assert len(rows(page, "ledger")) == 25
    assert box.locator(".shown").inner_text() == "rows 1–25 of 60"
    box.get_by_role("button", name="next", exact=True).click()
    assert box.locator(".shown").inner_text() == "rows 26–50 of 60"
    box.get_by_label("search").fill("p01")
    expect(box.locator(".shown")).to_have_text("rows 1–10 of 10")
    assert all("P01" in row for row in rows(page, "ledger"))
    box.get_by_label("county", exact=True).select_option(label="C06")
    assert column(page, "ledger", 2) == ["C06", "C06"]
    box.get_by_label("search").fill("no such project")
    expect(page.locator("#ledger tbody")).to_have_text("no rows")


def test_a_figure_leads_to_its_sources(opened):
    page = opened()
    page.locator("table.targets a.origin").first.click()
    assert page.url.endswith("#sources")
    expect(page.locator("#sources-table tbody tr")).to_have_count(1)
    assert "a speech" in rows(page, "sources-table")[0]


def test_a_county_has_a_page_of_its_own(opened):
    page = opened()
    assert not page.locator("#county-3").is_visible()
    page.locator("#ledger a", has_text="C03").first.click()
    assert page.locator("#county-3").is_visible()
    assert not page.locator("#county-2").is_visible()
    page.locator("#county-3 a[data-in=ledger]").click()
    assert column(page, "ledger", 2) == ["C03"] * len(rows(page, "ledger")) != []


def test_a_comparison_is_sorted_and_chosen_from(opened):
    page = opened("compared")
    head = page.locator("#ranking thead th", has_text="total cost")
    head.get_by_role("button").click()
    at = 1 + page.locator("#ranking thead th").all_inner_texts().index(head.inner_text())
    costs = [float(text.replace(",", "")) for text in column(page, "ranking", at) if text != "–"]
    assert costs == sorted(costs)
    assert len(costs) > 1
    box = page.locator("[data-table=targets]")
    box.get_by_label("scenario", exact=True).select_option(label=FORMULA)
    assert set(column(page, "targets", 3)) == {FORMULA}
    paper = page.pdf(prefer_css_page_size=True)
    assert 2 < paper.count(b"/Type /Page\n") < 60


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_are_shown_and_do_nothing(opened, lang):
    page = opened("hostile", lang)
    assert page.title().startswith(HTML)
    assert page.evaluate("document.querySelectorAll('img:not([src^=data])').length") == 0
    text = page.locator("main").inner_text()
    assert all(name in text for name in (HTML, FORMULA, EMOJI, LONG))


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("name", "lang"), CASES)
def test_no_serious_fault_of_accessibility(opened, name, lang, width):
    page = opened(name, lang, width, "#county-1")
    page.evaluate("document.querySelectorAll('details').forEach((at) => { at.open = true; })")
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], one["nodes"][0]["html"][:120], one["nodes"][0]["failureSummary"][:200])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_prints_on_a4_with_all_projects(opened, lang, tmp_path):
    page = opened("plain", lang)
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    pages = paper.count(b"/Type /Page\n")
    assert 15 < pages < 80
    portrait, landscape = b"594.95", b"841.91"
    assert portrait[:3] in paper
    assert landscape[:3] in paper
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(rows(page, "ledger")) == 60
    # A button is not printed again where a table goes on, its words are.
    styles = "(at) => getComputedStyle(at).display"
    head = page.locator("#ledger thead")
    assert head.evaluate(styles) == "table-header-group"
    assert head.get_by_role("button").first.evaluate(styles) == "contents"
    assert not page.locator("nav").first.is_visible()
    assert page.locator(".county").count() == page.locator(".county:visible").count() == 14
