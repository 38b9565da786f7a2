/* Following a publish in place: where the reader stands (focus, scroll, what is open) is kept, what changed is marked for a
   moment, and the age of the data is told as the server tells it. */
(function () {
  const root = document.documentElement;
  const FOCUSABLE = "a[href], button, input, summary, [tabindex]";
  /* Milliseconds for which a change is marked. */
  const MARKED = 4000;
  /* Looks that fail one after the other before it is said that the server does not answer. */
  const PATIENCE = 2;
  let age = null;
  let failures = 0;
  let held = null;
  let watcher = null;

  const page = () => document.getElementById("page");
  const all = (selector) => [...page().querySelectorAll(selector)];

  /* Where an element stands: in the row of an exam, by its id, or by its number on the page. */
  function place(element) {
    const row = element.closest("[data-exam]");
    if (row) {
      const rows = all("[data-exam]");
      return { exam: row.dataset.exam, row: rows.indexOf(row), number: [...row.querySelectorAll(FOCUSABLE)].indexOf(element) };
    }
    return element.id ? { id: element.id } : { number: all(FOCUSABLE).indexOf(element) };
  }

  function found({ exam, row, id, number }) {
    if (id) return document.getElementById(id);
    if (exam === undefined) return all(FOCUSABLE)[number];
    const rows = all("[data-exam]");
    const same = rows.find((one) => one.dataset.exam === exam) || rows[Math.min(row, rows.length - 1)];
    return same && same.querySelectorAll(FOCUSABLE)[number];
  }

  /* What must be the same after the page was made anew. */
  function hold() {
    const focused = document.activeElement;
    return {
      path: window.location.pathname,
      focus: focused && focused !== page() && page().contains(focused) ? place(focused) : null,
      open: all("details").map((one) => one.open),
      across: all(".table-scroll").map((one) => one.scrollLeft),
      down: window.scrollY,
      values: new Map(all("[data-mark]").map((one) => [one.dataset.mark, one.dataset.value])),
    };
  }

  function restore(was) {
    all("details").forEach((one, number) => {
      if (was.open[number]) one.open = true;
    });
    all(".table-scroll").forEach((one, number) => (one.scrollLeft = was.across[number] || 0));
    const focused = was.focus && found(was.focus);
    if (focused) focused.focus({ preventScroll: true });
    window.scrollTo(0, was.down);
    const changed = all("[data-mark]").filter((one) => was.values.get(one.dataset.mark) !== one.dataset.value);
    changed.forEach((one) => one.classList.add("is-changed"));
    window.setTimeout(() => changed.forEach((one) => one.classList.remove("is-changed")), MARKED);
  }

  /* One element with its properties and what is in it. */
  function made(name, properties, ...inside) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...inside.filter((one) => one !== null));
    return element;
  }

  function cell(told, isNumber) {
    const one = typeof told === "string" ? { t: told } : told;
    const td = made("td", { className: isNumber ? "num" : "", title: one.title || "" });
    if (one.code !== undefined) {
      td.append(made("code", { textContent: one.code }));
    } else if (one.href) {
      td.append(made("a", { href: one.href, textContent: one.t }));
    } else if (one.bar === undefined) {
      td.append(made("span", { className: one.class || "", textContent: one.t }));
    } else {
      const fill = made("span", { className: "bar-fill" });
      fill.style.width = `${one.bar}%`;
      const mark = made("span", { className: "bar-mark" });
      mark.style.left = "50%";
      const bar = made("span", { className: "bar", ariaHidden: "true" }, fill, mark);
      td.append(made("div", { className: `bar-cell ${one.class}` }, made("span", { className: "bar-text", textContent: one.t }), bar));
    }
    return td;
  }

  function table(told) {
    const heads = told.head.map(({ t, title, num }) =>
      made("th", { scope: "col", textContent: t, title: title || "", className: num ? "num" : "" }));
    const rows = told.rows.map((row) => {
      const tr = made("tr", {}, ...row.cells.map((one, number) => cell(one, told.head[number].num)));
      if (row.exam) Object.assign(tr.dataset, { exam: row.exam, left: row.left, mark: `exam ${row.exam}`, value: row.value });
      return tr;
    });
    return made("table", { className: "table", ariaLabel: told.label },
      made("thead", {}, made("tr", {}, ...heads)), made("tbody", {}, ...rows));
  }

  function list(told) {
    const said = ({ t, code }) => (code === undefined ? t : made("code", { textContent: code }));
    return made("dl", {}, ...told.pairs.flatMap(([term, one]) => [made("dt", { textContent: term.t }), made("dd", {}, said(one))]));
  }

  /* The tables and lists that came as text: the server's words, never read as HTML. */
  function draw() {
    all("[data-rows]").forEach((box) => {
      if (box.firstElementChild) return;
      const told = JSON.parse(box.dataset.rows);
      box.append(told.pairs ? list(told) : table(told));
    });
  }

  /* What the whole screen follows is told by classes of the root: style sheets that look for a page by `:root:has()` have
     all styles made anew at every change anywhere, of which a chart makes hundreds. */
  function name() {
    root.classList.toggle("is-live", page().querySelector(".page-live") !== null);
    root.classList.toggle("is-wall", page().querySelector(".wall") !== null);
  }

  /* The page is made anew: before it is painted, draw what came as text, tell the age, and put everything back. */
  function renewed() {
    name();
    draw();
    tell();
    if (held && held.path === window.location.pathname && page().firstElementChild) restore(held);
    if (held) root.classList.remove("is-following");
    held = null;
  }

  /* From now on, for each new content of the page. */
  function watch() {
    if (watcher || !page()) return;
    watcher = new MutationObserver(renewed);
    watcher.observe(page(), { childList: true });
    name();
    draw();
  }

  /* The next content of the page is the same page of a newer snapshot. */
  function keep() {
    held = hold();
    root.classList.add("is-following");
  }

  function tell() {
    root.classList.toggle("is-stale", Boolean(age) && age.isStale);
    if (!age) return;
    all("[data-age]").forEach((one) => {
      const told = one.dataset.age.replace("{}", age.told);
      if (one.textContent !== told) one.textContent = told;
    });
  }

  /* The newest snapshot, or nothing where the server does not answer; what it says of the data's age is told. */
  async function newest() {
    try {
      const answer = await fetch(`/snapshot?_lang=${root.lang}`);
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const told = answer.headers.get("X-Radops-Age");
      age = told ? { told: JSON.parse(told), isStale: answer.headers.get("X-Radops-Stale") === "1" } : null;
      failures = 0;
      tell();
      return await answer.text();
    } catch (error) {
      failures += 1; // The server is not there just now: look again later.
      return "";
    } finally {
      root.classList.toggle("is-cut-off", failures >= PATIENCE);
    }
  }

  /* A page that tells the age of the data is told it at once. */
  function arrived() {
    if (!page() || all("[data-age]").length === 0) return;
    if (age) tell();
    else newest();
  }

  document.addEventListener("keydown", (event) => {
    const way = document.getElementById("wall-leave");
    if (event.key === "Escape" && way && !document.querySelector("dialog[open]")) way.click();
  });

  window.radopsFollow = { watch, keep, newest, arrived };
})();
