/* The few things that only a browser can do: colour scheme, title, drawer, and following a mark to its exams. */
(function () {
  const KEY = "radops-scheme";
  const root = document.documentElement;

  function remembered() {
    try {
      const kept = window.localStorage.getItem(KEY);
      if (kept === "light" || kept === "dark") return kept;
    } catch (error) {
      // Storage is switched off: follow the system.
    }
    return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  function remember(scheme) {
    try {
      window.localStorage.setItem(KEY, scheme);
    } catch (error) {
      // Storage is switched off: the choice lasts as long as the page.
    }
  }

  function go(href) {
    window.history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  /* What the address points at within the page is opened and brought into view. */
  function reveal(tries) {
    if (!window.location.hash || tries === 0) return;
    const found = document.getElementById(window.location.hash.slice(1));
    if (!found) {
      window.setTimeout(reveal, 50, tries - 1);
      return;
    }
    if (found.tagName === "DETAILS") found.open = true;
    found.scrollIntoView();
  }

  let scheme = remembered();
  root.setAttribute("data-mantine-color-scheme", scheme);

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    radops: {
      toggleScheme: function (clicks) {
        if (clicks) {
          scheme = scheme === "dark" ? "light" : "dark";
          remember(scheme);
        }
        return scheme;
      },
      applyScheme: function (chosen) {
        return chosen || scheme;
      },
      setTitle: function (title) {
        if (!title) return;
        document.title = title;
        reveal(40);
      },
      toggleMenu: function () {
        const used = window.dash_clientside.callback_context.triggered.some((t) => t.prop_id.startsWith("burger"));
        root.classList.toggle("menu-open", used && !root.classList.contains("menu-open"));
      },
      toggleFilters: function (clicks) {
        if (clicks) root.classList.toggle("filters-open");
      },
      pick: function () {
        const used = window.dash_clientside.callback_context.triggered.find((t) => t.value);
        if (!used) return window.dash_clientside.no_update;
        return JSON.parse(used.prop_id.slice(0, used.prop_id.lastIndexOf("."))).choice;
      },
      open: function () {
        const used = window.dash_clientside.callback_context.triggered.find((t) => t.value && t.value.points);
        if (!used) return;
        const data = used.value.points[0].customdata;
        const href = Array.isArray(data) ? data[0] : data;
        if (typeof href === "string" && href.startsWith("/")) go(href);
      },
    },
  });
})();
