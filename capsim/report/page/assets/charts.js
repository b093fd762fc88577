"use strict";
// Charts of the page, drawn with uPlot from the rows of its tables: those of the county chosen.
(function () {
  const { tables, texts, make, percent } = capsim;
  const INK = "#1b1f24", SOFT = "#4a5159", LINE = "#d5dae0";
  const FONT = "12px " + getComputedStyle(document.body).fontFamily;
  const pen = make("canvas").getContext("2d");
  const tiles = new Map();

  function count(value) {
    const unit = texts.counts.find((one) => Math.abs(value) >= one.size);
    if (!unit) return capsim.number(value, Math.abs(value) < 10 && value % 1 ? 1 : 0);
    const text = capsim.number(value / unit.size, unit.digits);
    return (unit.trim && text.includes(".") ? text.replace(/\.?0+$/, "") : text) + unit.name;
  }
  const share = (value) => capsim.number(value, value % 1 ? 1 : 0) + percent;
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const unique = (values) => [...new Set(values)];
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  // A fill with its hatch, so that series differ in grey as well.
  function fill(context, look) {
    if (!look.hatch) return look.colour;
    const key = look.colour + look.hatch;
    if (!tiles.has(key)) {
      const tile = make("canvas");
      tile.width = tile.height = 8;
      const at = tile.getContext("2d");
      at.fillStyle = look.colour; at.fillRect(0, 0, 8, 8);
      at.strokeStyle = at.fillStyle = "#fff"; at.lineWidth = 1.2;
      const line = (...points) => { at.beginPath(); points.forEach(([x, y], n) => (n ? at.lineTo(x, y) : at.moveTo(x, y))); at.stroke(); };
      const sign = look.hatch[0];
      if (sign === "/" || sign === "x") [-8, 0, 8].forEach((x) => line([x, 8], [x + 8, 0]));
      if (sign === "\\" || sign === "x") [-8, 0, 8].forEach((x) => line([x, 0], [x + 8, 8]));
      if (sign === "-" || sign === "+") line([0, 4], [8, 4]);
      if (sign === "|" || sign === "+") line([4, 0], [4, 8]);
      if (".o*".includes(sign)) { at.beginPath(); at.arc(4, 4, sign === "o" ? 2.4 : 1.4, 0, 7); sign === "o" ? at.stroke() : at.fill(); }
      tiles.set(key, tile);
    }
    return context.createPattern(tiles.get(key), "repeat");
  }

  // What marks are drawn with: places of the scales in pixels of the canvas.
  class Marks {
    constructor(plot) { this.plot = plot; this.at = plot.ctx; this.dot = devicePixelRatio || 1; }
    x(value) { return this.plot.valToPos(value, "x", true); }
    y(value) { return this.plot.valToPos(value, "y", true); }
    box(x0, x1, y0, y1, look) {
      const [a, b] = [this.x(x0), this.x(x1)], [c, d] = [this.y(y0), this.y(y1)];
      this.at.fillStyle = fill(this.at, look);
      this.at.fillRect(Math.min(a, b), Math.min(c, d), Math.abs(b - a), Math.abs(d - c));
      if (look.edge) { this.at.strokeStyle = look.edge; this.at.lineWidth = this.dot; this.at.strokeRect(Math.min(a, b), Math.min(c, d), Math.abs(b - a), Math.abs(d - c)); }
    }
    path(points, colour, { width = 2, dash = [] } = {}) {
      this.at.beginPath();
      points.forEach(([x, y], n) => (n ? this.at.lineTo(this.x(x), this.y(y)) : this.at.moveTo(this.x(x), this.y(y))));
      this.at.strokeStyle = colour; this.at.lineWidth = width * this.dot;
      this.at.setLineDash(dash.map((one) => one * this.dot));
      this.at.stroke(); this.at.setLineDash([]);
    }
    area(points, colour) {
      this.at.beginPath();
      points.forEach(([x, y]) => this.at.lineTo(this.x(x), this.y(y)));
      this.at.fillStyle = colour; this.at.fill();
    }
    dotAt(x, y, form, colour, size = 4, edge = "#fff") {
      const [a, b, r] = [this.x(x), this.y(y), size * this.dot];
      this.at.beginPath();
      if (form === "s") this.at.rect(a - r, b - r, 2 * r, 2 * r);
      else if (form === "d") [[0, -1], [1, 0], [0, 1], [-1, 0]].forEach(([dx, dy]) => this.at.lineTo(a + 1.3 * r * dx, b + 1.3 * r * dy));
      else this.at.arc(a, b, r, 0, 7);
      this.at.closePath();
      this.at.fillStyle = colour; this.at.fill();
      this.at.strokeStyle = edge; this.at.lineWidth = this.dot; this.at.stroke();
    }
    text(words, x, y, { dx = 0, dy = 0, align = "left", colour = INK, base = "middle" } = {}) {
      this.at.font = FONT.replace("12px", 12 * this.dot + "px");
      this.at.textAlign = align; this.at.textBaseline = base; this.at.fillStyle = colour;
      this.at.fillText(words, this.x(x) + dx * this.dot, this.y(y) + dy * this.dot);
    }
  }

  const wide = (text) => { pen.font = FONT; return pen.measureText(text).width; };
  function shortened(text, most) {
    if (wide(text) <= most) return text;
    let cut = text.length;
    while (cut > 1 && wide(text.slice(0, cut) + "…") > most) cut--;
    return text.slice(0, cut) + "…";
  }
  const around = (low, high, room = 0.05) => [low < 0 ? low * (1 + room) : low, (high > low ? high : low + 1) * (high > 0 ? 1 + room : 1)];

  // Forms. Each returns scales, marks, and what is said of its `many` items, one by one.
  const FORMS = {
    stack(chart, rows) {
      const { spec } = chart;
      const years = rows.map((row) => row[spec.x]);
      const used = spec.series.filter((one) => rows.some((row) => row[one.at]));
      const ends = rows.map((row) => [sum(used.map((one) => Math.min(0, row[one.at]))), sum(used.map((one) => Math.max(0, row[one.at])))]);
      return {
        series: used, x: [Math.min(...years) - 0.6, Math.max(...years) + 0.6], xs: years,
        y: around(Math.min(0, ...ends.map(([low]) => low)), Math.max(0, ...ends.map(([, high]) => high))),
        marks(m) {
          rows.forEach((row) => {
            let [low, high] = [0, 0];
            used.forEach((one) => {
              const value = row[one.at] || 0, from = value < 0 ? low : high;
              if (value) m.box(row[spec.x] - 0.4, row[spec.x] + 0.4, from, from + value, one);
              if (value < 0) low += value; else high += value;
            });
          });
          m.path([[Math.min(...years) - 0.6, 0], [Math.max(...years) + 0.6, 0]], INK, { width: 1 });
        },
        said: (n) => [years[n] + " · " + spec.unit, ...used.filter((one) => rows[n][one.at]).map((one) => [one.label, chart.written(rows[n][one.at])]).reverse()],
      };
    },
    lines(chart, rows) {
      const { spec } = chart;
      rows = [...rows].sort((a, b) => a[spec.x] - b[spec.x]);
      const xs = rows.map((row) => row[spec.x]);
      const used = spec.series.filter((one) => rows.some((row) => row[one.at] !== null));
      const has = (row, one) => one.band && row[one.band[0]] !== null && row[one.band[1]] !== null;
      const tops = rows.flatMap((row) => used.map((one) => Math.max(row[one.at] || 0, has(row, one) ? row[one.band[1]] : 0)));
      const cap = (x) => spec.cap && spec.cap.filter(([year]) => year <= x).map(([, value]) => value).pop();
      const legend = used.flatMap((one) => (one.bandLabel && rows.some((row) => has(row, one)) ? [one, { ...one, label: one.bandLabel, pale: true }] : [one]));
      if (spec.cap && spec.cap.length) legend.push({ label: spec.capLabel, colour: "#D55E00", dash: [2, 3], line: true });
      return {
        series: legend, x: [Math.min(...xs) - 0.4, Math.max(...xs) + 0.4], xs, y: around(0, Math.max(0.5, ...tops, ...(spec.cap || []).map(([, value]) => value))),
        marks(m) {
          (spec.edges || []).forEach(([size, label], n) => {
            m.path([[size - 0.5, m.plot.scales.y.min], [size - 0.5, m.plot.scales.y.max]], "#D55E00", { width: 1 });
            const late = size > xs[xs.length - 1] - 0.25 * (xs[xs.length - 1] - xs[0]);
            m.text(label, size - 0.5, m.plot.scales.y.max, { dx: late ? -3 : 3, dy: 8 + 15 * n, align: late ? "right" : "left" });
          });
          used.forEach((one) => {
            const banded = rows.filter((row) => has(row, one));
            m.area([...banded.map((row) => [row[spec.x], row[one.band[0]]]), ...banded.reverse().map((row) => [row[spec.x], row[one.band[1]]])], one.colour + "40");
          });
          used.forEach((one) => {
            if (one.standard) m.path([[one.standard, 0], [one.standard, m.plot.scales.y.max]], one.colour, { width: 1, dash: one.dash });
            const points = rows.filter((row) => row[one.at] !== null).map((row) => [row[spec.x], row[one.at]]);
            m.path(points, one.colour, { dash: one.dash });
            if (one.mark) points.forEach(([x, y]) => m.dotAt(x, y, one.mark, one.colour));
          });
          const capped = xs.flatMap((x) => (cap(x) === undefined ? [] : [[x - 0.5, cap(x)], [x + 0.5, cap(x)]]));
          if (capped.length) m.path(capped, "#D55E00", { dash: [2, 3] });
        },
        said(n) {
          const lines = used.filter((one) => rows[n][one.at] !== null).map((one) => {
            const range = has(rows[n], one) ? " (" + filled(texts["{a} to {b}"], { a: chart.written(rows[n][one.band[0]]), b: chart.written(rows[n][one.band[1]]) }) + ")" : "";
            return [one.label, chart.written(rows[n][one.at]) + range];
          });
          if (cap(xs[n]) !== undefined) lines.push([spec.capLabel, chart.written(cap(xs[n]))]);
          return [xs[n] + " · " + (spec.percent ? spec.xUnit || spec.unit : spec.unit), ...lines];
        },
      };
    },
    steps(chart, rows) {
      const { spec } = chart;
      const last = rows.length - 1;
      let from = 0;
      const parts = rows.map((row, n) => { const start = n === last ? 0 : from; from = n === last ? from : from + row[1]; return [start, start + row[1]]; });
      const ends = [0, ...parts.flat(), ...(spec.line ? [spec.line[0]] : [])];
      return {
        series: [], rows: rows.map((row) => row[0]), x: around(Math.min(...ends), Math.max(...ends), 0.16),
        marks(m) {
          parts.forEach(([a, b], n) => {
            m.box(a, b, n - 0.36, n + 0.36, spec.series[n]);
            m.text(count(rows[n][1]), Math.max(a, b), n, { dx: 5 });
          });
          if (spec.line) {
            m.path([[spec.line[0], -0.6], [spec.line[0], last + 0.6]], "#D55E00", { dash: [2, 3] });
            m.text(spec.line[1], spec.line[0], -0.5, { dx: -5, align: "right", colour: "#8f3600" });
          }
          m.path([[0, -0.6], [0, last + 0.6]], INK, { width: 1 });
        },
        said: (n) => [rows[n][0], ["", count(rows[n][1])]],
      };
    },
    chances(chart) {
      const inYear = (row) => filled(texts["{chance} in {year}"], { chance: row.later[2], year: row.later[0] });
      const { spec } = chart;
      const [first, later] = spec.series;
      const some = spec.rows.some((row) => row.later), narrow = chart.width < 480;
      const both = (row) => row.said + (row.later ? (texts.lang === "zh" ? "；" : "; ") + (narrow ? row.later[2] : inYear(row)) : "") + (row.beside ? (texts.lang === "zh" ? "；" : "; ") + row.beside : "");
      return {
        series: [{ ...first, colour: "#9CC6E2" }, ...(some ? [{ ...later, form: "d" }] : []), { label: spec.askedLabel + " " + share(spec.asked), colour: "#D55E00", line: true, dash: [2, 3] }],
        rows: spec.rows.map((row) => (narrow || !row.by ? row.rule : row.rule + " " + row.by)), x: [0, 100], percent: true, right: Math.max(50, ...spec.rows.map((row) => wide(both(row)) + 14)),
        marks(m) {
          spec.rows.forEach((row, n) => {
            const [chance, low, high] = row.chance;
            m.box(0, chance, n - 0.3, n + 0.3, { colour: "#C6DBEF", edge: first.colour });
            m.path([[low, n], [high, n]], first.colour, { width: 1.5 });
            m.dotAt(chance, n, "o", first.colour);
            if (row.later) m.dotAt(row.later[1], n, "d", later.colour, 4, INK);
            m.text(both(row), 100, n, { dx: 8 });
          });
          m.path([[spec.asked, -0.6], [spec.asked, spec.rows.length - 0.4]], "#D55E00", { dash: [2, 3] });
        },
        said(n) {
          const row = spec.rows[n], [chance, low, high] = row.chance;
          const range = filled(texts["{a} to {b}"], { a: share(low), b: share(high) });
          return [[row.rule, row.by].filter(Boolean).join(" "), ...(row.beside ? [["", row.beside]] : []), [first.label, share(chance) + " (" + range + ")"], ...(row.later ? [[later.label, inYear(row)]] : [])];
        },
      };
    },
    balance(chart) {
      const { spec, sheet } = chart;
      const [stage, year, own, area] = ["stage", "school_year", "county", "area"].map((name) => sheet.column(name));
      const [empty, over, none] = spec.columns.map((name) => sheet.column(name));
      const county = capsim.county();
      const reach = (one) => Math.max(one.empty, one.over + one.none);
      const grouped = (rows) => {
        const key = county && area >= 0 ? area : own, groups = new Map();
        rows.forEach((row) => {
          const one = groups.get(row[key]) || { empty: 0, over: 0, none: 0 };
          one.empty += row[empty]; one.over += row[over]; one.none += row[none];
          groups.set(row[key], one);
        });
        return groups;
      };
      const rows = sheet.rows.filter((row) => (!county || row[own] === county));
      // Only stages that have seats empty or lacking; one scale a stage, whichever year is shown.
      const picked = chart.picks([[rows.filter((row) => row[empty] + row[over] + row[none] > 0), stage], [rows, year]], spec.pickLabels);
      const mine = rows.filter((row) => row[stage] === picked[0]);
      const most = Math.max(1, ...unique(mine.map((row) => row[year])).flatMap((one) => [...grouped(mine.filter((row) => row[year] === one)).values()].map(reach)));
      const groups = [...grouped(mine.filter((row) => row[year] === picked[1]))];
      return {
        series: spec.series, rows: groups.map(([name]) => name), x: [-1.05 * most, 1.05 * most], absolute: true,
        marks(m) {
          groups.forEach(([, one], n) => {
            m.box(0, one.empty, n - 0.38, n + 0.38, { ...spec.series[0], edge: "#2b6a94" });
            m.box(-one.over, 0, n - 0.38, n + 0.38, spec.series[1]);
            m.box(-one.over - one.none, -one.over, n - 0.38, n + 0.38, spec.series[2]);
          });
          m.path([[0, -0.6], [0, groups.length - 0.4]], INK, { width: 1 });
        },
        said: (n) => [groups[n][0], ...["empty", "over", "none"].map((key, at) => [spec.series[at].label, count(groups[n][1][key])])],
      };
    },
    programme(chart) {
      const { spec, sheet } = chart;
      const [name, opens, p90, use, harm] = ["project", "opens", "p90", "in_use", "harm"].map((one) => sheet.column(one));
      const day = (text) => (text ? Date.parse(text) / 1000 : null);
      const rows = sheet.visible.map((row) => ({ name: row[name], opens: day(row[opens]), p90: p90 < 0 ? null : day(row[p90]), p50: use < 0 || !row[use] ? null : day(row[use][0]), chance: use < 0 || !row[use] ? null : row[use][1], harm: harm < 0 ? null : row[harm] }));
      const days = rows.flatMap((row) => [row.opens, row.p50, row.p90]).filter((one) => one !== null);
      const date = (at) => new Date(at * 1000).toISOString().slice(0, 10);
      const month = 2630000;
      return {
        series: [{ ...spec.series[0], form: "d" }, { ...spec.series[1], form: "o" }, spec.series[2]], time: true,
        rows: rows.map((row) => row.name), x: days.length ? [Math.min(...days) - 2 * month, Math.max(...days) + 2 * month] : [0, month], right: 60,
        marks(m) {
          rows.forEach((row, n) => {
            if (row.p50 !== null && row.p90 !== null) m.box(row.p50, Math.max(row.p90, row.p50), n - 0.25, n + 0.25, { ...spec.series[2], edge: spec.series[1].colour });
            if (row.p50 !== null) m.dotAt(row.p50, n, "o", spec.series[1].colour);
            m.dotAt(row.opens, n, "d", spec.series[0].colour);
            if (row.chance !== null) m.text(row.chance + percent, m.plot.scales.x.max, n, { dx: 8 });
          });
        },
        said(n) {
          const row = rows[n];
          return [row.name, [spec.series[0].label, date(row.opens)], ...(row.p50 === null ? [] : [[spec.series[1].label, date(row.p50)]]), ...(row.p90 === null ? [] : [[sheet.heads[p90].textContent, date(row.p90)]]), ...(row.harm === null ? [] : [[sheet.heads[harm].textContent, capsim.number(row.harm, 1)]])];
        },
      };
    },
    map(chart) {
      const { spec, sheet } = chart;
      const [stage, year, area] = ["stage", "school_year", "area"].map((name) => sheet.column(name));
      const keys = ["children", "overfilled", "shortfall"].map((name) => sheet.column(name));
      const county = capsim.county();
      const [now] = chart.picks([[sheet.rows, year]], spec.pickLabels);
      const sums = new Map();
      sheet.rows.forEach((row) => {
        if (row[year] !== now || !spec.compulsory.includes(row[stage])) return;
        const one = sums.get(row[area]) || [0, 0, 0];
        sums.set(row[area], one.map((value, at) => value + row[keys[at]]));
      });
      const every = spec.places.filter(([name]) => sums.has(name)).map(([name, of, x, y]) => ({ name, of, x, y, children: sums.get(name)[0], lacking: sums.get(name)[1] + sums.get(name)[2], none: sums.get(name)[2] }));
      const places = county ? every.filter((one) => one.of === county) : every;
      if (!places.length) return null;
      const outer = county ? [] : spec.boundaries.flat(2);
      const ends = (key, at) => [...places.map((one) => one[key]), ...outer.map((one) => one[at])].reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
      const [[x0, x1], [y0, y1]] = [ends("x", 0), ends("y", 1)];
      const span = [x1 - x0, y1 - y0].map((one) => Math.max(1.25 * one, 4));
      const most = Math.max(1, ...every.map((one) => one.children));
      const worst = Math.max(0.01, ...every.map((one) => (one.children ? one.lacking / one.children : 0)));
      const crowded = every.length > 24 && !county ? 16 : 26;
      const size = (children) => 3 + crowded * Math.sqrt(children / most);
      const shade = (part) => { const t = Math.min(1, part / worst); return "rgb(" + [[255, 166], [245, 54], [235, 3]].map(([a, b]) => Math.round(a + (b - a) * t)).join() + ")"; };
      const nice = (value) => { const power = 10 ** Math.floor(Math.log10(value)); return [5, 2, 1].find((step) => step * power <= value) * power; };
      return {
        map: true, span, x: [x0, x1], y: [y0, y1], places,
        series: [
          ...unique([0.1, 0.4, 1].map((part) => nice(Math.max(1, part * most)))).map((value) => ({ label: count(value), disc: size(value) })),
          { label: spec.labels[1] + " 0–" + share(Math.round(1000 * worst) / 10), ramp: [shade(0), shade(worst)] },
          { label: spec.labels[2], disc: 6, thick: true },
          ...(now === spec.year && spec.flows.length ? [{ label: spec.labels[3], colour: "#0072B2", line: true }] : []),
        ],
        legendHead: spec.labels[0],
        marks(m) {
          spec.boundaries.forEach((rings) => rings.forEach((ring) => m.path([...ring, ring[0]], SOFT, { width: 0.8 })));
          if (now === spec.year) spec.flows.forEach(([a, b, c, d, pupils]) => m.path([[a, b], [c, d]], "#0072B2b0", { width: 0.4 + 3 * pupils / spec.flows[0][4] }));
          (county ? every : places).forEach((one) => {
            m.at.globalAlpha = county && one.of !== county ? 0.25 : 1;
            m.dotAt(one.x, one.y, "o", shade(one.children ? one.lacking / one.children : 0), size(one.children), INK);
            if (one.none >= 0.5) { m.at.lineWidth = 3 * m.dot; m.at.stroke(); }
            m.at.globalAlpha = 1;
          });
          const named = new Set();
          [...places].sort((a, b) => b.children - a.children).forEach((one) => {
            const name = county ? one.name : one.of;
            if (named.has(name) || named.size > 40) return;
            named.add(name);
            m.at.strokeStyle = "#fff"; m.at.lineWidth = 3 * m.dot; m.at.font = FONT.replace("12px", 12 * m.dot + "px"); m.at.textAlign = "center"; m.at.textBaseline = "middle";
            const words = shortened(name, 110);
            m.at.strokeText(words, m.x(one.x), m.y(one.y) - (size(one.children) + 8) * m.dot);
            m.text(words, one.x, one.y, { dy: -size(one.children) - 8, align: "center" });
          });
        },
        said(n) {
          const one = places[n];
          return [one.name + (one.name === one.of ? "" : " · " + one.of), [spec.labels[0], count(one.children)], [spec.counted[0], count(one.lacking - one.none)], [spec.counted[1], count(one.none)]];
        },
      };
    },
  };

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.box = figure.querySelector(".chart");
      this.spec = JSON.parse(figure.querySelector("script.spec").textContent);
      this.sheet = tables.get(this.spec.table);
      this.picked = new Map();
      this.tools = make("div", undefined, this.box); this.tools.className = "tools";
      this.legend = make("ul", undefined, this.box); this.legend.className = "legend";
      this.paper = make("div", undefined, this.box); this.paper.className = "plot";
      this.tip = make("div", undefined, this.box); this.tip.className = "tip"; this.tip.hidden = true; this.tip.setAttribute("role", "status");
      this.at = -1;
      this.box.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") this.show(-1);
        if (!step || event.target !== this.box) return;
        event.preventDefault();
        this.show(Math.max(0, Math.min(this.many - 1, this.at + step)));
      });
      this.box.addEventListener("blur", () => this.show(-1));
      const again = () => { if (this.width) this.draw(); };
      capsim.follow(again);
      if (this.spec.form === "programme") this.sheet.filled.push(again);
      new ResizeObserver(() => { if (this.width && this.paper.clientWidth !== this.width) this.draw(); }).observe(this.box);
    }
    written(value) {
      if (this.spec.percent) return capsim.number(value, 2) + percent;
      return this.spec.form === "stack" && value % 1 ? capsim.number(value, 1) : count(value);
    }
    // Lists of which one value each is shown; the first chosen, or what was chosen before.
    picks(lists, labels) {
      return lists.map(([rows, column], n) => {
        const values = unique(rows.map((row) => row[column]));
        let value = this.picked.get(labels[n]);
        if (!values.includes(value)) value = values[0];
        let select = this.tools.children[n] && this.tools.children[n].querySelector("select");
        if (!select) {
          const label = make("label", labels[n], this.tools);
          select = make("select", undefined, label);
          select.addEventListener("change", () => { this.picked.set(labels[n], select.values[select.selectedIndex]); this.draw(); });
        }
        select.values = values;
        select.replaceChildren(...values.map((one) => { const option = make("option", String(one)); option.selected = one === value; return option; }));
        return value;
      });
    }
    draw() {
      this.width = this.paper.clientWidth;
      if (!this.width) return;
      const { spec, sheet } = this;
      let rows = sheet ? sheet.rows.filter((row) => sheet.mine(row)) : [];
      if (spec.pick) {
        const some = rows.filter((row) => spec.series.some((one) => row[one.at] > 0));
        if (some.length) rows = some.length < rows.length ? rows.filter((row) => spec.pick.every(([column]) => some.some((one) => one[column] === row[column]))) : rows;
        const chosen = this.picks(spec.pick.map(([column]) => [rows, column]), spec.pick.map(([, label]) => label));
        rows = rows.filter((row) => spec.pick.every(([column], n) => row[column] === chosen[n]));
      }
      const own = !["chances", "balance", "map", "programme"].includes(spec.form);
      const form = own && !rows.length ? null : FORMS[spec.form](this, rows);
      if (this.plot) this.plot.destroy();
      this.plot = null;
      this.show(-1);
      this.form = form;
      this.legend.replaceChildren();
      if (!form) { this.paper.textContent = texts["no rows"]; this.many = 0; return; }
      this.paper.textContent = "";
      this.many = form.map ? form.places.length : form.rows ? form.rows.length : form.xs.length;
      this.box.dataset.drawn = JSON.stringify(form.map ? form.places.map((one) => one.name) : form.rows || form.xs);
      this.key(form);
      this.plot = new uPlot(this.options(form), [form.x, form.rows ? [-0.6, form.rows.length - 0.4] : form.y], this.paper);
    }
    key(form) {
      if (form.legendHead) make("li", form.legendHead + (texts.lang === "zh" ? "：" : ":"), this.legend);
      form.series.forEach((one) => {
        const item = make("li", undefined, this.legend);
        const swatch = make("canvas", undefined, item);
        const size = one.disc ? Math.ceil(2 * one.disc + 4) : 0;
        const [w, h] = size ? [size, size] : one.ramp ? [48, 14] : [22, 14];
        const dot = devicePixelRatio || 1;
        swatch.width = w * dot; swatch.height = h * dot;
        swatch.style.width = w + "px"; swatch.style.height = h + "px";
        swatch.setAttribute("aria-hidden", "true");
        const at = swatch.getContext("2d");
        at.scale(dot, dot);
        at.strokeStyle = one.colour || INK; at.lineWidth = one.thick ? 3 : 1;
        if (one.disc) { at.beginPath(); at.arc(w / 2, h / 2, one.disc, 0, 7); at.fillStyle = "#fff"; at.fill(); at.stroke(); }
        else if (one.ramp) { const ramp = at.createLinearGradient(0, 0, w, 0); one.ramp.forEach((stop, n) => ramp.addColorStop(n, stop)); at.fillStyle = ramp; at.fillRect(0, 0, w, h); }
        else if (one.form) { at.fillStyle = one.colour; at.beginPath(); if (one.form === "d") [[11, 2], [16, 7], [11, 12], [6, 7]].forEach(([x, y]) => at.lineTo(x, y)); else at.arc(11, 7, 5, 0, 7); at.fill(); }
        else if ((one.line || one.mark || one.dash) && !one.pale) {
          at.lineWidth = 2; at.setLineDash(one.dash || []); at.beginPath(); at.moveTo(0, 7); at.lineTo(22, 7); at.stroke();
          if (one.mark) { at.fillStyle = one.colour; at.setLineDash([]); at.beginPath(); if (one.mark === "s") at.rect(7, 3, 8, 8); else at.arc(11, 7, 4, 0, 7); at.fill(); }
        } else { at.fillStyle = one.pale ? one.colour + "40" : fill(at, one); at.fillRect(0, 0, w, h); if (one.colour.toUpperCase() > "#D0") { at.strokeStyle = SOFT; at.strokeRect(0.5, 0.5, w - 1, h - 1); } }
        item.append(" " + one.label);
      });
    }
    options(form) {
      const { spec } = this;
      const width = this.width, narrow = width < 480;
      const side = form.rows ? Math.min(Math.max(40, ...form.rows.map(wide)) + 12, width * (narrow ? 0.38 : 0.34)) : 58;
      const ticks = { stroke: SOFT, font: FONT, gap: 3, grid: { stroke: LINE, width: 1 }, ticks: { stroke: LINE, size: 4 }, labelFont: FONT, labelSize: 20, labelGap: 0 };
      const values = (written) => (_, splits) => splits.map((one) => (one === null ? null : written(form.absolute ? Math.abs(one) : one)));
      const written = spec.percent || form.percent ? share : count;
      const whole = (_, splits) => splits.map((one) => (one % 1 ? null : one));
      const date = (at) => { const day = new Date(at * 1000); return day.getUTCFullYear() + "-" + String(day.getUTCMonth() + 1).padStart(2, "0"); };
      const axes = form.rows
        ? [{ ...ticks, size: 24, space: narrow ? 50 : 70, values: form.time ? (_, splits) => splits.map(date) : values(written), label: spec.unit },
          { ...ticks, size: side, splits: () => form.rows.map((_, n) => n), values: () => form.rows.map((name) => shortened(name, side - 12)), grid: { show: false }, ticks: { show: false }, gap: 6 }]
        : form.map
          ? [{ ...ticks, size: 24, values: values(count), label: spec.unit }, { ...ticks, size: 44, values: values(count), label: spec.unitUp }]
          : [{ ...ticks, size: 26, grid: { show: false }, space: 44, incrs: [1, 2, 5, 10], values: (_, splits) => whole(_, splits).map((one) => (one === null ? null : String(one))), label: spec.xUnit || "" , labelSize: spec.xUnit ? 20 : 0 },
            { ...ticks, size: (plot, said) => 12 + Math.max(24, ...(said || []).map((one) => wide(one || ""))), values: values(written), label: spec.unit }];
      const height = form.rows ? 24 * form.rows.length + 56 : form.map ? Math.max(230, Math.min(width, 480, 50 + (width - 62) * form.span[1] / form.span[0])) : narrow ? 240 : 290;
      if (form.map) { // one scale of both axes
        const [across, up] = [width - 62, height - 50];
        const per = Math.max(form.span[0] / across, form.span[1] / up);
        const [x, y] = [(form.x[0] + form.x[1]) / 2, (form.y[0] + form.y[1]) / 2];
        form.x = [x - across * per / 2, x + across * per / 2]; form.y = [y - up * per / 2, y + up * per / 2];
      }
      const y = form.rows ? [-0.6, form.rows.length - 0.4] : form.y;
      return {
        width, height, legend: { show: false }, axes, padding: [8, form.right || 12, 0, 0],
        cursor: { drag: { x: false, y: false }, points: { show: false }, x: !form.rows, y: Boolean(form.rows || form.map) },
        scales: { x: { time: false, range: () => form.x }, y: { range: () => y, dir: form.rows ? -1 : 1 } },
        series: [{}, { show: true, stroke: "transparent", width: 0, points: { show: false } }],
        hooks: {
          draw: [(plot) => {
            const { left, top, width: w, height: h } = plot.bbox;
            plot.ctx.save();
            plot.ctx.beginPath();
            plot.ctx.rect(left, 0, w + (form.right || 12) * (devicePixelRatio || 1), top + h);
            plot.ctx.clip();
            form.marks(new Marks(plot));
            plot.ctx.restore();
          }],
          setCursor: [(plot) => { if (!this.told) this.show(this.near(plot), true); }],
        },
      };
    }
    near(plot) {
      const { left, top } = plot.cursor, { form } = this;
      if (left === undefined || left < 0) return -1;
      if (form.rows) return Math.max(0, Math.min(form.rows.length - 1, Math.round(plot.posToVal(top, "y"))));
      const [x, y] = [plot.posToVal(left, "x"), plot.posToVal(top, "y")];
      const far = form.map ? form.places.map((one) => Math.hypot(one.x - x, one.y - y)) : form.xs.map((one) => Math.abs(one - x));
      return far.indexOf(Math.min(...far));
    }
    show(at, mouse) {
      this.at = at;
      const { form, plot, tip } = this;
      tip.hidden = at < 0 || !form;
      if (tip.hidden) return;
      const [head, ...lines] = form.said(at);
      const list = make("dl");
      lines.forEach(([what, value]) => { if (what) make("dt", what, list); make("dd", value, list); });
      tip.replaceChildren(make("b", head), list);
      const x = form.rows ? (mouse ? plot.cursor.left : plot.over.clientWidth / 2) : plot.valToPos(form.map ? form.places[at].x : form.xs[at], "x");
      const y = form.rows ? plot.valToPos(at, "y") : form.map ? plot.valToPos(form.places[at].y, "y") : mouse ? plot.cursor.top : plot.over.clientHeight / 3;
      if (!mouse) { this.told = true; plot.setCursor({ left: x, top: y }); this.told = false; }
      const left = this.paper.offsetLeft + plot.over.offsetLeft + x;
      const turned = left > this.box.clientWidth / 2;
      tip.style.left = turned ? "" : left + 14 + "px";
      tip.style.right = turned ? this.box.clientWidth - left + 14 + "px" : "";
      tip.style.top = this.paper.offsetTop + plot.over.offsetTop + y + 10 + "px";
    }
  }
  // A chart is drawn when it comes near the window, those in it at once.
  const charts = new Map();
  const near = new IntersectionObserver((all) => all.forEach(({ isIntersecting, target }) => {
    if (!isIntersecting) return;
    near.unobserve(target);
    charts.get(target).draw();
  }), { rootMargin: "600px" });
  document.querySelectorAll("figure").forEach((figure) => {
    if (!figure.querySelector("script.spec")) return;
    figure.classList.add("drawn");
    const chart = new Chart(figure);
    charts.set(chart.box, chart);
    near.observe(chart.box);
  });
})();
