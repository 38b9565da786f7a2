/* Marks of charts and names in tables: a click keeps the page to what it stands for, with Shift it leads to the exams; a drag
   over a time axis sets the period; Escape and a double click clear. Only the controls of the filter bar are set, by the words
   of the server's own links: nothing is calculated here. */
(function () {
  const DAY = 86400000;
  /* Pixels from which a movement is a drag. */
  const DRAG = 6;
  let shift = false;
  let justDragged = false;

  const day = (date, more) => new Date(Date.parse(date) + more * DAY).toISOString().slice(0, 10);
  const current = (id) => window.radopsShown.value(id);
  const set = (id, value) => window.dash_clientside.set_props(id, { value });
  const boxOf = (element) => element && element.closest(".graph-box");
  const byOf = (box) => box.querySelector(".as-table").dataset.by.split(" ").filter(Boolean);

  /* What a link to exams says of the keys: control -> value; null where it does not say it all. */
  function said(href, by) {
    const asked = new URL(href, window.location.origin).searchParams;
    const found = {};
    for (const key of by) {
      if (key === "period") {
        if (!asked.get("since") || !asked.get("until")) return null;
        found["filter-dates"] = [asked.get("since"), day(asked.get("until"), -1)];
      } else {
        if (!asked.get(key)) return null;
        found[`filter-${key}`] = [asked.get(key)];
      }
    }
    return by.length ? found : null;
  }

  const isSame = (found) => Object.entries(found).every(([id, value]) => JSON.stringify(current(id)) === JSON.stringify(value));

  function clear(by) {
    by.forEach((key) => (key === "period" ? set("filter-period", window.radopsShown.usual) : set(`filter-${key}`, [])));
  }

  /* Follow a mark: to its exams, or by keeping the page to it; again, and all is back. */
  function follow(href, by, toExams) {
    const found = toExams ? null : said(href, by);
    if (!found) return window.radopsShown.go(href);
    if (isSame(found)) return clear(by);
    return Object.entries(found).forEach(([id, value]) => set(id, value));
  }

  /* Where each mark of a trace leads; of a trace whose marks all lead to the same, that is said once. */
  function linksOf(trace) {
    return trace.customdata || (trace.meta ? Array.from(trace.x, () => trace.meta) : null);
  }

  function clicked(points) {
    if (justDragged) return;
    const box = boxOf(document.querySelector(".graph-box:hover"));
    const drawn = box && box.querySelector(".js-plotly-plot");
    const data = points[0].customdata ?? (drawn && drawn.data[points[0].curveNumber].meta);
    const href = Array.isArray(data) ? data[0] : data;
    if (typeof href === "string" && href.startsWith("/")) follow(href, box ? byOf(box) : [], shift);
  }

  document.addEventListener("pointerup", (event) => (shift = event.shiftKey), true);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.by");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const by = [...link.classList].filter((name) => name.startsWith("by-")).map((name) => name.slice(3));
    follow(link.getAttribute("href"), by, event.shiftKey);
  }, true);

  /* The chart under a hand that can take a period, with its drawing. */
  function timed(target) {
    const box = boxOf(target);
    const drawn = box && box.querySelector(".js-plotly-plot");
    if (!drawn || !target.closest(".nsewdrag") || !byOf(box).includes("period")) return null;
    return drawn._fullLayout && drawn._fullLayout.xaxis.type === "date" ? { box, drawn } : null;
  }

  /* The days of the marks between two places, in pixels of the plot; null where there is none. */
  function covered(drawn, from, to) {
    const axis = drawn._fullLayout.xaxis;
    const days = [];
    drawn.calcdata.forEach(([...points], number) => {
      const links = linksOf(drawn.data[number]);
      if (!links) return;
      points.forEach((point, place) => {
        const at = axis.c2p(point.x);
        if (!(at >= from && at <= to)) return; // a gap is nowhere
        const dates = said(links[place] || "/", ["period"]);
        const on = String(drawn.data[number].x[place]).slice(0, 10);
        days.push(...(dates ? dates["filter-dates"] : [on]));
      });
    });
    days.sort();
    return days.length ? [days[0], days[days.length - 1]] : null;
  }

  document.addEventListener("pointerdown", (event) => {
    justDragged = false;
    const found = event.button === 0 && event.pointerType !== "touch" && timed(event.target);
    if (!found) return;
    const plot = event.target.getBoundingClientRect();
    const start = event.clientX;
    const veil = document.createElement("div");
    veil.className = "brush";
    const ends = (at) => [Math.min(start, at), Math.max(start, at)].map((x) => Math.min(Math.max(x, plot.left), plot.right));
    const move = (moved) => {
      if (Math.abs(moved.clientX - start) < DRAG) return;
      if (!veil.parentElement) document.body.append(veil);
      const [left, right] = ends(moved.clientX);
      Object.assign(veil.style, { left: `${left}px`, width: `${right - left}px`, top: `${plot.top}px`, height: `${plot.height}px` });
    };
    const done = (last) => {
      document.removeEventListener("pointermove", move, true);
      document.removeEventListener("pointerup", done, true);
      document.removeEventListener("keydown", giveUp, true);
      const was = veil.parentElement;
      veil.remove();
      if (!was || !last) return;
      justDragged = true;
      const [left, right] = ends(last.clientX);
      const dates = covered(found.drawn, left - plot.left, right - plot.left);
      if (dates) set("filter-dates", dates);
    };
    const giveUp = (key) => key.key === "Escape" && (key.stopPropagation(), done(null));
    document.addEventListener("pointermove", move, true);
    document.addEventListener("pointerup", done, true);
    document.addEventListener("keydown", giveUp, true);
  }, true);

  /* The second press of a double click: where it is released plotly has put another element, so no dblclick comes. What its
     first click asked for is taken back, and its second one asks for nothing. */
  document.addEventListener("mousedown", (event) => {
    const box = event.detail === 2 && !event.button && event.target.closest(".nsewdrag") && boxOf(event.target);
    if (!box || !byOf(box).length) return;
    justDragged = true;
    clear(byOf(box));
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target.matches("input, textarea") || document.querySelector("dialog[open]")) return;
    const box = boxOf(document.activeElement) || document.querySelector(".graph-box:hover");
    if (box) clear(byOf(box));
  });

  /* One element with what is in it. */
  function made(name, properties, ...inside) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...inside);
    return element;
  }

  /* What each mark of a trace says and where it leads, in the server's words. */
  function marksOf(trace) {
    const whole = trace.type === "sankey" ? { text: trace.link.customdata } : trace;
    const tips = (whole.hovertext || whole.text || []).flat();
    const links = ((trace.type !== "sankey" && linksOf(trace)) || []).flat();
    if (trace.hoverinfo === "skip") return [];
    return tips.map((tip, place) => [String(tip).split(/<br>/).map((line) => line.replace(/<[^>]*>/g, "")), links[place] || ""]);
  }

  function row([[name, ...rest], href], by, words) {
    const ways = made("td", {});
    if (href) {
      const only = said(href, by);
      const classes = ["by", ...by.map((key) => `by-${key}`)].join(" ");
      if (only) ways.append(made("a", { href, className: classes, textContent: words.wayOnly }), " ");
      const exams = made("a", { href, textContent: words.wayExams });
      exams.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        window.radopsShown.go(href);
      });
      ways.append(exams);
    }
    return made("tr", {}, made("th", { scope: "row", textContent: name }), made("td", { textContent: rest.join(", ") }), ways);
  }

  document.addEventListener("toggle", (event) => {
    const fold = event.target;
    if (!fold.matches || !fold.matches(".as-table") || !fold.open) return;
    const place = fold.querySelector(".table-scroll");
    const drawn = fold.closest(".graph-box").querySelector(".js-plotly-plot");
    if (place.firstElementChild || !drawn) return;
    const words = fold.dataset;
    const by = words.by.split(" ").filter(Boolean);
    const rows = drawn.data.flatMap(marksOf).filter(([told]) => told[0]).map((mark) => row(mark, by, words));
    const head = [words.mark, words.told, words.ways].map((name) => made("th", { scope: "col", textContent: name }));
    place.append(made("table", { className: "table" }, made("thead", {}, made("tr", {}, ...head)), made("tbody", {}, ...rows)));
  }, true);

  window.radopsMarks = { clicked };
})();
