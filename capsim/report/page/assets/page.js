"use strict";
const capsim = (function () {
  document.documentElement.classList.add("js");
  const read = (id) => { const at = document.getElementById(id); return at ? JSON.parse(at.textContent) : {}; };
  const texts = read("texts");
  const counties = new Map(Object.entries(read("county-numbers")));
  const followers = [];
  let county = "";
  const percent = texts.lang === "zh" ? "%" : " %";
  const order = new Intl.Collator(texts.lang, { numeric: true });
  const MOST_PRINTED = 250;
  const tables = new Map();
  const later = (fill) => { let at; return () => { clearTimeout(at); at = setTimeout(fill, 80); }; };

  function number(value, digits) {
    const [whole, part] = Math.abs(value).toFixed(digits).split(".");
    const sign = value < 0 ? "−" : "";
    return sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? "." + part : "");
  }
  function write(value, column) {
    if (value === null || value === "") return "–";
    if (Array.isArray(value)) return (value[0] || "–") + " · " + value[1] + percent;
    if (typeof value !== "number" || column.k === "year") return String(value);
    return number(value, column.d) + (column.k === "percent" ? percent : "");
  }
  function compare(a, b) {
    if (Array.isArray(a)) return order.compare(a[0], b[0]) || a[1] - b[1];
    if (typeof a === "number" && typeof b === "number") return a - b;
    return order.compare(String(a), String(b));
  }
  const blank = (value) => value === null || value === "" || (Array.isArray(value) && !value[0]);
  function make(tag, text, within) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (within) within.append(made);
    return made;
  }

  class Sheet {
    constructor(box) {
      this.box = box;
      this.name = box.dataset.table;
      this.body = box.querySelector("tbody");
      this.heads = [...box.querySelectorAll("thead th")];
      this.shown = box.querySelector(".shown");
      Object.assign(this, JSON.parse(box.querySelector("script.data").textContent));
      this.written = new Map();
      this.scope = this.columns.findIndex((column) => column.s);
      this.whose = this.columns.findIndex((column) => column.l);
      this.key = this.by; this.up = false; this.at = 0; this.filled = []; this.chosen = new Map(); this.sought = "";
      this.heads.forEach((head, at) => {
        const button = make("button", head.textContent);
        button.type = "button";
        button.addEventListener("click", () => this.sort(at));
        head.replaceChildren(button);
      });
      if (this.rows.length > 8) this.tools();
      const whole = box.querySelector(".caption .whole");
      if (whole) followers.push(() => { whole.hidden = !county; });
      // The rows stand there already.
      this.visible = this.rows.filter((row) => this.mine(row)).slice(0, this.page);
    }
    said(row) {
      if (!this.written.has(row)) this.written.set(row, this.rows[row].map((value, at) => write(value, this.columns[at])));
      return this.written.get(row);
    }
    tools() {
      const tools = make("div");
      tools.className = "tools";
      const label = make("label", texts.search, tools);
      this.search = make("input", undefined, label);
      this.search.type = "search";
      this.search.addEventListener("input", later(() => this.find(this.search.value)));
      this.columns.forEach((column, at) => {
        if (!column.c) return;
        const values = [...new Set(this.rows.map((row) => write(row[at], column)))].sort(order.compare);
        if (values.length < 2 || values.length > 80) return;
        const choice = make("select", undefined, make("label", this.heads[at].textContent, tools));
        choice.setAttribute("aria-label", this.heads[at].textContent);
        make("option", texts.all, choice).value = "";
        values.forEach((value, place) => { make("option", value, choice).value = String(place); });
        choice.addEventListener("change", () => {
          if (choice.value === "") this.chosen.delete(at);
          else this.chosen.set(at, values[Number(choice.value)]);
          this.at = 0; this.fill();
        });
      });
      if (this.rows.length > this.page) {
        const pager = make("div", undefined, tools);
        pager.className = "pager";
        this.back = make("button", texts.previous, pager);
        this.on = make("button", texts.next, pager);
        this.back.type = this.on.type = "button";
        this.back.addEventListener("click", () => { this.at -= this.page; this.fill(); });
        this.on.addEventListener("click", () => { this.at += this.page; this.fill(); });
      }
      this.box.querySelector(".caption").after(tools);
    }
    find(text) {
      this.sought = text.trim().toLowerCase(); this.at = 0;
      if (this.search && this.search.value !== text) this.search.value = text;
      this.fill();
    }
    sort(at) {
      this.up = this.key === at ? !this.up : true;
      this.key = at; this.at = 0;
      this.heads.forEach((head, place) => {
        if (place === at) head.setAttribute("aria-sort", this.up ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      });
      this.fill();
    }
    column(name) { return this.columns.findIndex((column) => column.n === name); }
    mine(row) {
      if (this.whose < 0) return true;
      if (county) return row[this.whose] === county;
      return this.scope < 0 || row[this.scope] === this.rows[0][this.scope];
    }
    kept() {
      const kept = [];
      for (let row = 0; row < this.rows.length; row++) {
        if (!this.mine(this.rows[row])) continue;
        if (this.sought && !this.said(row).join("\n").toLowerCase().includes(this.sought)) continue;
        if ([...this.chosen].some(([at, value]) => this.said(row)[at] !== value)) continue;
        kept.push(row);
      }
      if (this.key < 0) return kept;
      const of = (row) => this.rows[row][this.key];
      const turn = this.up ? 1 : -1;
      return kept.sort((a, b) => blank(of(a)) - blank(of(b)) || (blank(of(a)) ? 0 : turn * compare(of(a), of(b))) || a - b);
    }
    fill(most) {
      const kept = this.kept();
      const from = most ? 0 : this.at;
      const to = Math.min(kept.length, from + (most || this.page));
      const lines = kept.slice(from, to).map((row) => {
        const line = make("tr");
        this.said(row).forEach((text, at) => {
          const cell = make("td", undefined, line);
          cell.className = this.columns[at].k;
          cell.dataset.label = this.heads[at].textContent;
          const county = this.columns[at].l && counties.get(this.rows[row][at]);
          if (county) make("a", text, cell).href = "#county-" + county;
          else cell.textContent = text;
        });
        return line;
      });
      if (!lines.length) {
        const line = make("tr");
        make("td", texts["no rows"], line).colSpan = this.columns.length;
        lines.push(line);
      }
      this.body.replaceChildren(...lines);
      const parts = { from: kept.length ? from + 1 : 0, to, of: kept.length };
      this.shown.textContent = to - from === kept.length && !this.narrowed() ? "" : texts["rows {from}–{to} of {of}"].replace(/\{(\w+)\}/g, (_, name) => parts[name]);
      if (this.back) { this.back.disabled = from <= 0; this.on.disabled = to >= kept.length; }
      this.visible = kept.slice(from, to).map((row) => this.rows[row]);
      this.filled.forEach((follow) => follow());
    }
    narrowed() { return this.sought !== "" || this.chosen.size > 0; }
  }

  document.querySelectorAll("[data-table]").forEach((box) => {
    const sheet = new Sheet(box);
    tables.set(sheet.name, sheet);
  });
  document.querySelectorAll("figcaption .whole").forEach((whole) => followers.push(() => { whole.hidden = !county; }));

  // The county: chosen in its list, by a link or by the address (#county-3, or #money&county-3).
  const list = document.getElementById("choose-county");
  const facts = document.querySelector(".facts");
  const numbered = (number) => [...counties].find(([, one]) => String(one) === number);
  function choose(name) {
    if (county === name) return;
    county = name;
    list.value = name ? String(counties.get(name)) : "";
    tables.forEach((sheet) => { if (sheet.whose >= 0) { sheet.at = 0; sheet.fill(); } });
    const sheet = tables.get("counties");
    const row = sheet && sheet.rows.findIndex((one) => one[0] === county);
    facts.hidden = !county;
    const cards = make("dl");
    cards.className = "cards small";
    if (county) sheet.heads.slice(1).forEach((head, at) => {
      const card = make("div", undefined, cards);
      make("dt", head.textContent, card);
      make("dd", sheet.said(row)[at + 1], card);
    });
    facts.replaceChildren(make("h3", county), cards);
    followers.forEach((follow) => follow());
  }
  function address() {
    const [place, one] = decodeURIComponent(location.hash.slice(1)).split("&");
    const found = numbered((one || place).replace(/^county-/, ""));
    if (found) choose(found[0]);
    else if (!location.hash) choose("");
    else if (county) history.replaceState(null, "", "#" + place + "&county-" + counties.get(county));
    const at = place && document.getElementById(place);
    if (!at || at.tagName === "OPTION") return;
    const fold = at.closest("details");
    if (fold) fold.open = true;
    if (one) at.scrollIntoView();
  }
  if (list) {
    list.addEventListener("change", () => {
      const found = numbered(list.value);
      choose(found ? found[0] : "");
      history.replaceState(null, "", county ? "#county-" + list.value : location.pathname + location.search);
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#county-']");
      if (!link) return;
      event.preventDefault();
      const number = link.hash.replace("#county-", "");
      choose(numbered(number)[0]);
      history.pushState(null, "", "#county-" + number);
      document.getElementById("county").scrollIntoView();
    });
  }
  addEventListener("hashchange", address);
  document.querySelectorAll("[data-find]").forEach((link) => {
    link.addEventListener("click", () => {
      tables.get("sources-table").find(link.dataset.find);
      document.getElementById("sources").closest("details").open = true;
    });
  });
  const hint = (at) => at.classList.toggle("more", at.scrollLeft + at.clientWidth < at.scrollWidth - 1);
  const watched = new ResizeObserver((all) => all.forEach((one) => hint(one.target.closest(".scroll"))));
  document.querySelectorAll(".scroll").forEach((at) => {
    at.addEventListener("scroll", () => hint(at), { passive: true });
    [at, at.firstElementChild].forEach((one) => watched.observe(one));
  });

  // On paper: the whole, with every fold open; four pages unless everything is asked for.
  const all = document.getElementById("print-everything");
  if (all) all.addEventListener("change", () => document.documentElement.classList.toggle("everything", all.checked));
  const before = { county: "", open: [] };
  const everything = () => !all || all.checked;
  addEventListener("beforeprint", () => {
    before.county = county;
    if (list) choose("");
    before.open = [...document.querySelectorAll("details.more, details.fold")].filter((one) => !one.open);
    before.open.forEach((one) => { one.open = true; });
    tables.forEach((one) => {
      const rows = everything() ? one.kept().length : Number(one.box.dataset.paper);
      if (rows <= MOST_PRINTED) one.fill(Math.max(1, rows));
    });
  });
  addEventListener("afterprint", () => {
    before.open.forEach((one) => { one.open = false; });
    tables.forEach((one) => one.fill());
    if (list) choose(before.county);
  });
  address();
  return { tables, texts, number, make, percent, county: () => county, follow: (one) => followers.push(one) };
})();
