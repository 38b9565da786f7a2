/* By keyboard and on paper: a sheet of keys, focus on the heading of a page that one went to, and charts as wide as the sheet. */
(function () {
  const OFF = "radops-single-keys-off";
  const root = document.documentElement;
  let path = null;

  function areOff() {
    try {
      return window.localStorage.getItem(OFF) === "1";
    } catch (error) {
      return false; // Storage is switched off: as usual.
    }
  }

  function turn(off) {
    try {
      window.localStorage.setItem(OFF, off ? "1" : "0");
    } catch (error) {
      // Storage is switched off: nothing is remembered.
    }
  }

  const sheet = () => document.getElementById("keys");
  const visible = (one) => one && one.checkVisibility();

  function open() {
    const dialog = sheet();
    if (!dialog || dialog.open || document.querySelector("dialog[open]")) return;
    document.getElementById("keys-single").ariaPressed = String(!areOff());
    dialog.showModal();
    document.getElementById("keys-close").focus();
  }

  const ACTS = {
    "?": open,
    "/": () => [document.getElementById("filter-period"), document.getElementById("filter-facility")].find(visible)?.focus(),
    g: () => [document.querySelector(".nav-link.on"), document.getElementById("burger")].find(visible)?.focus(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, [contenteditable], [role=combobox], dialog")) return;
    const act = ACTS[event.key];
    if (!act || areOff()) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("#keys-open")) open();
    else if (event.target.closest("#keys-close") || event.target === sheet()) sheet().close();
    const single = event.target.closest("#keys-single");
    if (!single) return;
    turn(!areOff());
    single.ariaPressed = String(!areOff());
  });

  /* A page is there: whoever came from another one stands at its heading. */
  function arrived() {
    document.querySelectorAll(".nav-link").forEach((one) => {
      if (one.classList.contains("on")) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
    });
    const came = path !== null && path !== window.location.pathname;
    path = window.location.pathname;
    if (!came || window.location.hash) return;
    window.requestAnimationFrame(() => {
      const heading = document.querySelector("#page h1");
      if (!heading) return;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    });
  }

  const drawn = () => [...document.querySelectorAll(".graph .js-plotly-plot")];
  window.addEventListener("beforeprint", () => {
    root.classList.add("is-printing");
    drawn().forEach((one) => window.Plotly.relayout(one, { width: one.closest(".graph").clientWidth, autosize: false }));
  });
  window.addEventListener("afterprint", () => {
    root.classList.remove("is-printing");
    drawn().forEach((one) => window.Plotly.relayout(one, { width: null, autosize: true }));
  });

  window.radopsKeys = { arrived };
})();
