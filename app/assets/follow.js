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
      focus: focused && focused !== page() && page().contains(focused) ? place(focused) : null,
      open: all("details").map((one) => one.open),
      across: all(".table-scroll").map((one) => one.scrollLeft),
      down: window.scrollY,
      values: new Map(all("[data-mark]").map((one) => [one.dataset.mark, one.dataset.value])),
    };
  }

  function restore(held) {
    all("details").forEach((one, number) => (one.open = held.open[number] || false));
    all(".table-scroll").forEach((one, number) => (one.scrollLeft = held.across[number] || 0));
    const focused = held.focus && found(held.focus);
    if (focused) focused.focus({ preventScroll: true });
    window.scrollTo(0, held.down);
    const changed = all("[data-mark]").filter((one) => held.values.get(one.dataset.mark) !== one.dataset.value);
    changed.forEach((one) => one.classList.add("is-changed"));
    window.setTimeout(() => changed.forEach((one) => one.classList.remove("is-changed")), MARKED);
  }

  /* Once the page has its new content, and before it is painted: put everything back. */
  function keep() {
    const held = hold();
    const watcher = new MutationObserver(() => {
      if (!page().firstElementChild) return;
      watcher.disconnect();
      tell();
      restore(held);
    });
    watcher.observe(page(), { childList: true, subtree: true });
    root.classList.add("is-following");
    window.setTimeout(() => {
      watcher.disconnect();
      root.classList.remove("is-following");
    }, 1500);
  }

  function tell() {
    root.classList.toggle("is-stale", Boolean(age) && age.isStale);
    if (age) all("[data-age]").forEach((one) => (one.textContent = one.dataset.age.replace("{}", age.told)));
  }

  /* The newest snapshot, or nothing where the server does not answer; what it says of the data's age is told. */
  async function newest() {
    try {
      const answer = await fetch("/snapshot");
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
    if (event.key === "Escape" && way) way.click();
  });

  window.radopsFollow = { keep, newest, arrived };
})();
