"use strict";
(function () {
  const read = (id) => { const at = document.getElementById(id); return at ? JSON.parse(at.textContent) : {}; };
  const texts = read("texts");
  const counties = new Map(Object.entries(read("county-numbers")));
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
      this.said = this.rows.map((row) => row.map((value, at) => write(value, this.columns[at])));
      this.looked = this.said.map((row) => row.join("\n").toLowerCase());
      this.key = -1; this.up = true; this.at = 0; this.chosen = new Map(); this.sought = "";
      this.heads.forEach((head, at) => {
        const button = make("button", head.textContent);
        button.type = "button";
        button.addEventListener("click", () => this.sort(at));
        head.replaceChildren(button);
      });
      if (this.rows.length > 8) this.tools();
      this.fill();
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
        const values = [...new Set(this.said.map((row) => row[at]))].sort(order.compare);
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
    kept() {
      const kept = [];
      for (let row = 0; row < this.rows.length; row++) {
        if (this.sought && !this.looked[row].includes(this.sought)) continue;
        if ([...this.chosen].some(([at, value]) => this.said[row][at] !== value)) continue;
        kept.push(row);
      }
      if (this.key < 0) return kept;
      const of = (row) => this.rows[row][this.key];
      const turn = this.up ? 1 : -1;
      return kept.sort((a, b) => blank(of(a)) - blank(of(b)) || (blank(of(a)) ? 0 : turn * compare(of(a), of(b))) || a - b);
    }
    fill(everything) {
      const kept = this.kept();
      const from = everything ? 0 : this.at;
      const to = everything ? kept.length : Math.min(kept.length, from + this.page);
      const lines = kept.slice(from, to).map((row) => {
        const line = make("tr");
        this.said[row].forEach((text, at) => {
          const cell = make("td", undefined, line);
          cell.className = this.columns[at].k;
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
      const whole = kept.length === this.rows.length && kept.length <= this.page;
      this.shown.textContent = whole ? "" : texts["rows {from}–{to} of {of}"].replace(/\{(\w+)\}/g, (_, name) => parts[name]);
      if (this.back) { this.back.disabled = from <= 0; this.on.disabled = to >= kept.length; }
    }
  }

  document.querySelectorAll("[data-table]").forEach((box) => {
    const sheet = new Sheet(box);
    tables.set(sheet.name, sheet);
  });
  document.querySelectorAll("[data-find]").forEach((link) => {
    link.addEventListener("click", () => tables.get(link.dataset.in || "sources-table").find(link.dataset.find));
  });
  const hint = (at) => at.classList.toggle("more", at.scrollLeft + at.clientWidth < at.scrollWidth - 1);
  const watched = new ResizeObserver((all) => all.forEach((one) => hint(one.target.closest(".scroll"))));
  document.querySelectorAll(".scroll").forEach((at) => {
    at.addEventListener("scroll", () => hint(at), { passive: true });
    [at, at.firstElementChild].forEach((one) => watched.observe(one));
  });
  addEventListener("beforeprint", () => tables.forEach((one) => { if (one.kept().length <= MOST_PRINTED) one.fill(true); }));
  addEventListener("afterprint", () => tables.forEach((one) => one.fill()));
})();
