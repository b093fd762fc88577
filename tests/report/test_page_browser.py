# ruff: noqa: E501 (scripts for the browser)
"""The page in a real browser: no error, no overflow, sorting, search, print, accessibility."""

import json
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
      // What two boxes that scroll side by side show does not overlap where each is clipped.
      const seenPart = (box, within) => (within ? [Math.max(box.left, within.left), Math.min(box.right, within.right)] : [box.left, box.right]);
      const [[al, ar], [bl, br]] = [seenPart(a, p), seenPart(b, q)];
      if (p !== null && q !== null && Math.min(ar, br) - Math.max(al, bl) <= 1) continue;
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


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach((at) => { at.open = true; })")


def column(page, table, at):
    return page.locator(f"#{table} tbody td:nth-child({at})").all_inner_texts()


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("name", "lang"), CASES)
def test_nothing_overflows_overlaps_or_is_cut(opened, name, lang, width):
    page = opened(name, lang, width)
    assert page.evaluate(OVERFLOW) == []
    unfold(page)
    if (name, lang) in PLANS:
        page.evaluate("location.hash = '#county-2'")
        expect(page.locator(".facts")).to_be_visible()
    assert page.evaluate(OVERFLOW) == []


def test_what_goes_on_beyond_the_edge_fades_until_one_is_there(opened):
    page = opened(width=NARROW)
    unfold(page)
    box = page.locator("[data-table=balances] .scroll")
    faded = re.compile(r"\bmore\b")
    expect(box).to_have_class(faded)
    box.evaluate("(at) => { at.scrollLeft = at.scrollWidth; }")
    expect(box).not_to_have_class(faded)
    wide = opened(width=WIDE)
    unfold(wide)
    expect(wide.locator("[data-table=targets] .scroll")).not_to_have_class(faded)


def test_the_check_of_overflow_sees_what_it_should(opened):
    page = opened()
    page.evaluate("document.querySelector('h1').style.marginBottom = '-3rem'")
    assert any(text.startswith("overlap") for text in page.evaluate(OVERFLOW))
    page.evaluate("document.querySelector('#targets-of').style.width = '200vw'")
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
    page.evaluate("dispatchEvent(new Event('afterprint'))")  # writes every table anew
    for table in page.locator("[data-table] table").all():
        table = table.get_attribute("id")
        texts = [found.locator(f"#{table} tbody td").all_text_contents() for found in (still, page)]
        assert texts[0] == texts[1], table
    context.close()


def test_tables_sort_up_and_down_by_mouse_and_keyboard(opened):
    page = opened()
    unfold(page)
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


FOLLOW = """(county) => {
  const wrong = [];
  capsim.tables.forEach((sheet, name) => {
    if (sheet.whose < 0) return;
    const links = [...document.getElementById(name).tBodies[0].rows].map((row) => row.cells);
    for (const cells of links) if (cells.length > 1 && cells[sheet.whose].textContent !== county) wrong.push(name + ": " + cells[sheet.whose].textContent);
  });
  return wrong;
}"""


def drawn(page, figure):
    """Scroll to a chart; return the names of what it shows, when it has been drawn."""
    box = page.locator(f"#figure-{figure} .chart")
    box.scroll_into_view_if_needed()
    expect(box.locator(".plot canvas")).to_be_visible(timeout=30_000)
    return json.loads(box.get_attribute("data-drawn"))


def said(page, figure):
    """What a chart says of its first item to one who reads it by keys."""
    box = page.locator(f"#figure-{figure} .chart")
    box.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    return box.locator(".tip").inner_text()


BY_COUNTY = ("mix", "private-share", "cost", "class-size", "shortfall")


def test_every_chart_and_table_follows_the_county(opened):
    page = opened()
    unfold(page)
    assert page.evaluate(FOLLOW, "the whole") != []
    assert drawn(page, "balance-2022") == [f"C{n:02d}" for n in range(1, 15)]
    assert len(drawn(page, "map")) == 28
    assert drawn(page, "programme") == column(page, "ledger", 1)
    assert len(column(page, "ledger", 1)) == 25
    for name in BY_COUNTY:
        assert drawn(page, name)
    before = {name: said(page, name) for name in (*BY_COUNTY, "balance-2022")}
    page.locator("#choose-county").select_option(label="C01")
    assert page.url.endswith("#county-1")
    assert page.evaluate(FOLLOW, "C01") == []
    assert drawn(page, "balance-2022") == drawn(page, "map") == ["C01-A", "C01-B"]
    of_county = column(page, "ledger", 1)
    assert drawn(page, "programme") == of_county
    assert 0 < len(of_county) < 25
    after = {name: said(page, name) for name in (*BY_COUNTY, "balance-2022")}
    changed = {name for name, text in after.items() if text != before[name]}
    assert changed >= {"mix", "cost", "shortfall", "balance-2022"}
    # The chart says what the table beside it says.
    (first, *_) = rows(page, "mix-data")
    assert first.split("\t")[0] == "C01"
    assert first.split("\t")[2] in after["mix"]
    assert "C01" in page.locator(".facts").inner_text()
    # Figures of the whole say so.
    expect(page.locator("#figure-chances figcaption .whole")).to_be_visible()
    page.locator("#choose-county").select_option(index=0)
    assert drawn(page, "balance-2022") == [f"C{n:02d}" for n in range(1, 15)]
    expect(page.locator(".facts")).to_be_hidden()
    expect(page.locator("#figure-chances figcaption .whole")).to_be_hidden()


def test_the_county_is_chosen_by_keys_links_and_address(opened):
    page = opened()
    page.locator("#choose-county").focus()
    page.keyboard.press("ArrowDown")
    assert page.url.endswith("#county-1")
    page.locator("#ledger a", has_text="C01").first.click()
    expect(page.locator(".facts h3")).to_have_text("C01")
    page.locator("nav a[href='#money']").click()
    page.wait_for_url("**#money&county-1")
    again = opened(at="#money&county-3")
    assert again.locator("#choose-county").input_value() == "3"
    assert column(again, "ledger", 2) == ["C03"] * len(rows(again, "ledger")) != []
    again.evaluate("location.hash = '#county-99'")
    assert again.locator("#choose-county").input_value() == "3"


def test_charts_say_their_values_under_the_pointer(opened):
    page = opened()
    drawn(page, "mix")
    tip = page.locator("#figure-mix .tip")
    expect(tip).to_be_hidden()
    page.locator("#figure-mix .u-over").hover()
    expect(tip).to_be_visible()
    assert re.search(r"existing public seats\s+[\d,]+", tip.inner_text())
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()


def test_the_map_draws_boundaries_where_there_are_any(opened, files, tmp_path):
    page = opened()
    look = "document.querySelector('#figure-map .plot canvas').toDataURL()"
    drawn(page, "map")
    without = page.evaluate(look)
    text = files["plain", "en"].read_text("utf-8")
    ring = json.dumps([[[[0, 0], [40, 0], [40, 20], [0, 20]]]])
    assert text.count('"boundaries": []') == 1
    bounded = tmp_path / "bounded.html"
    bounded.write_text(text.replace('"boundaries": []', f'"boundaries": {ring}'), "utf-8")
    page.goto(bounded.as_uri())
    drawn(page, "map")
    assert page.evaluate(look) != without


def test_answer_and_risk_stand_on_the_first_screen(opened):
    page = opened()
    for what in (".verdict", ".cards", "#figure-chances .plot canvas"):
        expect(page.locator(what).first).to_be_in_viewport()


def test_on_a_narrow_screen_state_and_chance_of_targets_are_seen(opened):
    page = opened(width=NARROW)
    for row in page.locator("table.targets tbody tr").all():
        for cell in row.locator("td").all():
            box = cell.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= NARROW
    labels = page.locator("table.targets tbody tr").first.locator("td").all()
    assert [label.get_attribute("data-label") for label in labels][1:3] == ["state", "likely"]
    harm = page.locator("#ledger tbody tr td[data-label^='harm']").first.bounding_box()
    assert harm["x"] + harm["width"] <= NARROW


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [390, 500, 641, 800, 1024])
def test_state_and_chance_of_targets_need_no_scrolling(chromium, files, width, scripts):
    context = chromium.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(files["plain", "en"].as_uri())
    for label in ("state", "likely"):
        cells = page.locator(f"table.targets td[data-label='{label}']").all()
        assert len(cells) == 4
        for cell in cells:
            box = cell.bounding_box()
            assert box["width"] > 20
            assert 0 <= box["x"] < box["x"] + box["width"] <= width
    context.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_scripts_tables_and_pictures_are_there(chromium, files, lang):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(files["plain", lang].as_uri())
    for name in ("chances", "mix", "balance-2022", "cost"):
        expect(page.locator(f"#figure-{name} img")).to_be_visible()
        expect(page.locator(f"#figure-{name} .chart")).to_be_hidden()
    expect(page.locator("#ledger tbody tr").first).to_be_visible()
    expect(page.locator("#choose-county")).to_be_hidden()
    context.close()


def test_size_and_time_to_draw_are_told(opened, files, record_property):
    page = opened()
    drawn(page, "chances")
    record_property("bytes", files["plain", "en"].stat().st_size)
    record_property("drawn_ms", page.evaluate("performance.now()"))
    assert files["plain", "en"].stat().st_size < 3_000_000


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
    unfold(page)
    assert page.title().startswith(HTML)
    assert page.evaluate("document.querySelectorAll('img:not([src^=data])').length") == 0
    text = page.locator("main").inner_text()
    assert all(name in text for name in (HTML, FORMULA, EMOJI, LONG))


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("name", "lang"), CASES)
def test_no_serious_fault_of_accessibility(opened, name, lang, width):
    page = opened(name, lang, width, "#county-1")
    unfold(page)
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], one["nodes"][0]["html"][:120], one["nodes"][0]["failureSummary"][:200])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def pages(paper: bytes) -> int:
    assert paper.startswith(b"%PDF")
    return paper.count(b"/Type /Page\n")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_prints_four_pages_of_the_whole_with_pictures(opened, lang):
    page = opened("plain", lang, at="#county-2")
    paper = page.pdf(prefer_css_page_size=True)
    assert pages(paper) == 4
    assert b"841.91" in paper
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#choose-county").input_value() == ""
    assert len(rows(page, "ledger")) == 12
    for name in ("chances", "cost"):
        expect(page.locator(f"#figure-{name} img")).to_be_visible()
        expect(page.locator(f"#figure-{name} .chart")).to_be_hidden()
    expect(page.locator("#conversions")).to_be_visible()
    assert len(rows(page, "conversions")) == 2
    expect(page.locator("#sources-table")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#choose-county").input_value() == "2"


def test_an_answer_as_long_as_a_prefecture_s_stands_on_one_page(opened):
    """Its eleven sections have 55 sentences, of 60 letters in the mean."""
    page = opened("plain", "en")
    page.evaluate(
        """() => {
            const sentence = "<li>" + "a county decides ".repeat(4).slice(0, 60) + "</li>";
            const section = `<div><h3>What is decided</h3><ul>${sentence.repeat(5)}</ul></div>`;
            document.querySelector(".sayings").innerHTML = section.repeat(11);
        }"""
    )
    assert pages(page.pdf(prefer_css_page_size=True)) == 4


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_prints_everything_on_a4_with_all_projects(opened, lang):
    page = opened("plain", lang)
    page.locator("#print-everything").check()
    paper = page.pdf(prefer_css_page_size=True)
    assert 15 < pages(paper) < 80
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
    expect(page.locator("#sources-table")).to_be_visible()
    expect(page.locator("#teachers")).to_be_visible()
