/* What only a browser can do: ask for a page, and again while the server is busy; colour scheme, language, title, drawer,
   and following a mark to its exams. */
(function () {
  const KEY = "radops-scheme";
  const root = document.documentElement;
  const own = document.currentScript.dataset;
  const controls = own.controls.split(" ");
  const follow = window.radopsFollow;
  /* The view that was asked for last: its key, the promise of its answer, and how to give it up. */
  let asked = { key: null };
  /* What is on the page now. */
  let shown = null;

  /* The page's language, with the names of its months and days for the calendar and for axes. */
  const language = root.lang;
  const calendar = JSON.parse(own.calendar);
  window[`dayjs_locale_${language}`] = {
    name: language, weekStart: 1, weekdays: calendar.days, weekdaysShort: calendar.shortDays, weekdaysMin: calendar.shortDays,
    months: calendar.months, monthsShort: calendar.shortMonths, ordinal: (number) => `${number}.`, formats: {}, relativeTime: {},
  };
  const axes = { locale: language, locales: { [language]: { format: calendar } } };

  /* An address that chose the language has done so: it is kept, and whoever gets the address next has their own. */
  function choose(code) {
    const search = new URLSearchParams(window.location.search);
    search.delete("lang");
    if (code) search.set("lang", code);
    const told = search.toString();
    return `${window.location.pathname}${told ? `?${told}` : ""}${window.location.hash}`;
  }
  if (/[?&]lang=/.test(window.location.search)) window.history.replaceState({}, "", choose(""));

  // Dash would load plotly under a name without a version.
  Object.defineProperty(window, "_dashPlotlyJSURL", { get: () => own.charts, set: () => undefined });

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

  /* Bring a script while there is something else to do; who needs it finds it there. */
  function bring(href) {
    if (window.Plotly || document.querySelector("link[rel=preload]")) return;
    document.head.append(Object.assign(document.createElement("link"), { rel: "preload", as: "script", href }));
  }

  /* Give every chart of a page what all have in common; says whether there is one. */
  function dress(part, template) {
    if (Array.isArray(part)) return part.map((one) => dress(one, template)).some(Boolean);
    if (!part || !part.props) return false;
    if (part.type !== "Graph") return dress(part.props.children, template);
    part.props.figure.layout.template = template;
    Object.assign(part.props.config, axes);
    return true;
  }

  /* Pages that have a script and a style of their own, which no other page needs. */
  const brought = new Set();
  function bringOwn() {
    const name = { "/sql": "sql", "/admin": "admin" }[window.location.pathname];
    if (!name || brought.has(name)) return;
    brought.add(name);
    if (name === "sql") window.radopsSql = { charts: own.charts };
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: own[`${name}Style`] }));
    document.head.append(Object.assign(document.createElement("script"), { src: own[name] }));
  }

  /* The number of the newest snapshot that was seen: another server may lag behind. */
  let seen = 0;
  const numberOf = (id) => parseInt(id, 10) || 0;

  function pause(seconds) {
    return new Promise((done) => window.setTimeout(done, seconds * 1000));
  }

  /* The answer to a view. A server that is busy says when to come again; we come a little later, each at another time.
     Of several servers one may not have the newest snapshot yet that we have seen: it is told, and says so too; after
     some tries we take what there is. */
  async function answered(address, signal) {
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(seen && tries < 5 ? `${address}&_seen=${seen}` : address, { signal });
      if (answer.status !== 503) {
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        const told = await answer.json();
        seen = numberOf(told.newest) || seen;
        return told;
      }
      if (asked.signal === signal) root.classList.add("is-busy");
      await pause((Number(answer.headers.get("Retry-After")) || 2) * (1 + Math.random()));
      if (signal.aborted) throw new DOMException("given up", "AbortError");
    }
  }

  function address(search, chosen) {
    const more = new URLSearchParams({ _scheme: scheme, _lang: language });
    if (Object.keys(chosen).length) more.set("_chosen", JSON.stringify(chosen));
    return `/view${window.location.pathname}?${more}&${search.replace(/^\?/, "")}`;
  }

  /* Ask for what the address and the controls say. Who asks twice gets the same answer; who asks for another page gives
     up the one before. */
  function ask(chosen, snapshot) {
    const here = address(window.location.search, chosen);
    const key = `${here} ${snapshot || ""}`;
    if (asked.key === key) return asked.answer;
    if (asked.giveUp) asked.giveUp.abort();
    const giveUp = new AbortController();
    asked = { key, giveUp, signal: giveUp.signal };
    asked.answer = answered(here, giveUp.signal).then((answer) => {
      if (dress(answer.page, answer.template)) bring(own.charts);
      return answer;
    });
    asked.answer.catch(() => undefined);
    return asked.answer;
  }

  /* Controls that a person changed: what they say against what they were last set to. */
  function used(cleared, values) {
    const chosen = {};
    if (!shown || !shown.values) return chosen;
    values.forEach((value, number) => {
      if (JSON.stringify(value) !== JSON.stringify(shown.values[number])) chosen[controls[number]] = value;
    });
    return cleared ? { "filter-clear": true } : chosen;
  }

  /* Links that are not Dash's lead through the history too; the one of another language to the page as it is. */
  document.addEventListener("click", (event) => {
    const other = event.target.closest("#language");
    if (other) other.href = choose(other.hreflang);
    const link = event.target.closest("[data-rows] a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.getAttribute("href"));
  });

  /* What other scripts need: the value that a control was last set to, the usual period, and the way to an address. */
  window.radopsShown = {
    value: (id) => (shown && shown.values ? shown.values[controls.indexOf(id)] : null),
    usual: own.usual,
    go,
  };

  let scheme = remembered();
  root.setAttribute("data-mantine-color-scheme", scheme);
  ask({}, null); // before the rest of the scripts is there

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    radops: {
      view: async function (pathname, search, chosenScheme, snapshot, clicks, ...values) {
        const dash = window.dash_clientside;
        follow.watch();
        const isPublish = dash.callback_context.triggered.map((t) => t.prop_id).join() === "snapshot.data";
        document.documentElement.toggleAttribute("data-follows", isPublish); /* no fading: the reader asked for nothing */
        const cleared = dash.callback_context.triggered.some((t) => t.prop_id.startsWith("filter-clear") && t.value);
        const chosen = used(cleared, values);
        const before = window.location.search;
        const promise = ask(chosen, snapshot);
        const mine = asked;
        const call = (mine.calls = (mine.calls || 0) + 1); // Dash takes the answer of the last call only
        let answer;
        try {
          answer = await promise;
        } catch (error) {
          if (mine === asked) {
            root.classList.remove("is-busy");
            root.classList.add("has-failed");
            asked = { key: null };
          }
          throw dash.PreventUpdate;
        }
        if (mine !== asked || mine.calls !== call || mine.isShown) throw dash.PreventUpdate;
        root.classList.remove("is-busy", "has-failed");
        mine.isShown = true;
        const last = shown || {};
        shown = answer;
        const search_ = answer.query ? `?${answer.query}` : "";
        if (isPublish) follow.keep();
        const isWritten = Object.keys(chosen).length > 0 && search_ !== before;
        if (isWritten) mine.key = `${address(search_, {})} ${snapshot || ""}`;
        // What is set wakes every component of the page: what is as it was is not set again.
        const change = (now, next) => (JSON.stringify(now) === JSON.stringify(next) ? dash.no_update : next);
        const set = controls.map((_, number) => (answer.values ? change(values[number], answer.values[number]) : dash.no_update));
        return [
          isWritten ? search_ : dash.no_update, ...set, answer.page, answer.nav, change(last.status, answer.status),
          change(last.banner, answer.banner), answer.title, change(document.getElementById("filters").hidden, answer.has_no_filters),
          change(last.look_every, answer.look_every),
        ];
      },
      look: async function (count) {
        const dash = window.dash_clientside;
        if (!count || !shown) throw dash.PreventUpdate;
        const newest = await follow.newest();
        if (!newest || newest === shown.newest || numberOf(newest) < seen) throw dash.PreventUpdate;
        seen = numberOf(newest);
        return newest;
      },
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
        bringOwn();
        follow.arrived();
        window.radopsKeys.arrived();
        if (!root.classList.contains("is-following")) reveal(40);
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
        if (used) window.radopsMarks.clicked(used.value.points);
      },
    },
  });
})();
