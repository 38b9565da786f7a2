/* The page Admin: tables to write in. Each change is checked and foretold by the server at once and kept in this browser;
   the changed file leaves the page as a download. People's and the server's words are set as text, never read as HTML. */
(function () {
  const KEPT = "radops-site";
  const PAUSE = 350;
  let serial = 0;

  function el(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name === "className") made.className = value;
      else if (name === "value") made.value = value;
      else if (value !== null && value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return made;
  }

  function editor(host) {
    const config = JSON.parse(host.dataset.config);
    const key = `${KEPT}-${config.file}`;
    const name = config.file.replace(".csv", "");
    const ui = { inputs: [] };
    /* Rows: cells by column, where the row stands in force (null: added), and whether it is gone. */
    const state = { rows: [], isOpen: false, answer: null, asked: 0, timer: null };
    const say = (word, values = {}) =>
      Object.entries(values).reduce((text, [part, value]) => text.replaceAll(`{${part}}`, value), config.texts[word]);
    const fresh = () => config.rows.map((cells, at) => ({ cells: { ...cells }, at, isGone: false }));
    const blank = () => ({ cells: Object.fromEntries(config.columns.map((column) => [column, ""])), at: null, isGone: false });

    function kept() {
      try {
        const found = JSON.parse(window.localStorage.getItem(key) || "null");
        return found && found.digest === config.digest ? found.rows : null;
      } catch (error) {
        return null;
      }
    }
    function keep() {
      try {
        if (isChanged()) window.localStorage.setItem(key, JSON.stringify({ digest: config.digest, rows: state.rows }));
        else window.localStorage.removeItem(key);
      } catch (error) {
        // Storage is switched off: what is written lasts as long as the page.
      }
    }
    const isOther = (row) => row.isGone || (row.at === null ? Object.values(row.cells).some(Boolean)
      : config.columns.some((column) => row.cells[column] !== config.rows[row.at][column]));
    const isChanged = () => state.rows.some(isOther);
    const sent = () => state.rows.map((row) => (row.isGone ? {} : row.cells));

    async function ask(path) {
      const body = JSON.stringify({ file: config.file, rows: sent(), search: window.location.search });
      const answer = await fetch(`/site/${path}?_lang=${document.documentElement.lang}`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      if (answer.status === 503 && answer.headers.get("Retry-After")) {
        await new Promise((done) => window.setTimeout(done, 1000 * Number(answer.headers.get("Retry-After"))));
        return ask(path);
      }
      return answer;
    }

    async function check() {
      const mine = (state.asked += 1);
      tell(say("checking"));
      let answer;
      try {
        answer = await ask("check");
      } catch (error) {
        if (mine === state.asked) tell(say("unreachable"));
        return;
      }
      if (mine !== state.asked) return;
      if (!answer.ok) {
        tell(say(answer.status === 403 ? "forbidden" : "failed"));
        return;
      }
      state.answer = await answer.json();
      if (mine === state.asked) show();
    }

    function changed(row) {
      keep();
      mark(row);
      window.clearTimeout(state.timer);
      state.answer = null;
      ui.take.disabled = true;
      if (isChanged()) state.timer = window.setTimeout(check, PAUSE);
      else {
        state.asked += 1;
        quiet();
      }
    }

    function tell(...words) {
      ui.said.replaceChildren(...words.map((word) => el("p", {}, word)));
    }
    function quiet() {
      clear();
      tell(say("none"));
      ui.numbers.replaceChildren();
      ui.after.hidden = true;
      ui.discard.hidden = true;
    }
    function clear() {
      for (const input of ui.table.querySelectorAll("[aria-invalid]")) {
        input.removeAttribute("aria-invalid");
        input.removeAttribute("aria-describedby");
      }
      for (const told of ui.table.querySelectorAll(".site-fault")) told.remove();
    }

    function show() {
      const { faults, said, columns, rows, is_changed: isNew } = state.answer;
      clear();
      for (const fault of faults) {
        const input = ui.table.querySelector(`[data-row="${fault.row}"][data-column="${fault.column}"]`);
        if (!input) continue;
        const id = `site-fault-${(serial += 1)}`;
        input.setAttribute("aria-invalid", "true");
        input.setAttribute("aria-describedby", id);
        input.parentElement.append(el("span", { className: "site-fault", id }, fault.told));
      }
      if (faults.length) tell(say(faults.length === 1 ? "fault" : "faults", { n: faults.length }));
      else tell(...said);
      ui.numbers.replaceChildren(...(rows.length ? [numbers(columns, rows)] : []));
      ui.take.disabled = faults.length > 0 || !isNew;
      ui.after.hidden = faults.length > 0 || !isNew;
      ui.discard.hidden = !isChanged();
    }

    /* Numbers in force and with the changes, side by side: each pair of columns is one number. */
    function numbers(columns, rows) {
      const heads = columns.map((column, at) => el("th", { scope: "col", className: at ? "num" : null }, at
        ? `${column} ${at % 2 ? say("was") : say("is")}` : column));
      const body = rows.map((cells) => el("tr", {}, cells.map((cell, at) => el("td", {
        className: at === 0 ? null : `num${at % 2 === 0 && cell !== cells[at - 1] ? " site-moved" : ""}` }, cell))));
      return el("div", { className: "table-scroll", tabindex: "0" }, el("table", { className: "table", "aria-label": config.title },
        el("thead", {}, el("tr", {}, heads)), el("tbody", {}, body)));
    }

    function mark(row) {
      row.line.classList.toggle("is-changed-row", isOther(row));
      row.line.classList.toggle("is-gone", row.isGone);
    }

    function line(row, number) {
      const cells = config.columns.map((column) => {
        const input = el("input", {
          className: "site-cell", value: row.cells[column], "data-row": number, "data-column": column, autocomplete: "off",
          spellcheck: "false", list: config.choices[column].length ? `site-${name}-${column}` : null, disabled: row.isGone,
          "aria-label": say("cell", { column: config.titles[column], row: number + 1, n: number + 1 }),
          readonly: column === "facility" && config.file === "facilities.csv" && row.at !== null,
          oninput: () => { row.cells[column] = input.value.trim(); changed(row); },
        });
        return el("td", { className: `site-${column}` }, input);
      });
      const canGo = config.canRemove || row.at === null;
      const toggle = canGo ? el("button", { type: "button", className: "plain site-drop", onclick: () => {
        row.isGone = !row.isGone;
        const before = row.line;
        const made = line(row, number);
        before.replaceWith(made);
        made.querySelector(".site-drop").focus();
        changed(row);
      }, "aria-label": say(row.isGone ? "restore" : "remove", { n: number + 1 }), title: say(row.isGone ? "restore" : "remove", { n: number + 1 }) },
      row.isGone ? "\u21ba" : "\u00d7") : null;
      const made = el("tr", {}, cells, el("td", {}, toggle));
      row.line = made;
      mark(row);
      return made;
    }

    function fill() {
      ui.rows.replaceChildren(...state.rows.map(line));
      find();
    }
    function find() {
      const wanted = ui.find.value.trim().toLowerCase();
      for (const row of state.rows) {
        row.line.hidden = Boolean(wanted) && row.at !== null && !Object.values(row.cells).join(" ").toLowerCase().includes(wanted);
      }
    }

    async function take() {
      let answer;
      try {
        answer = await ask("file");
      } catch (error) {
        tell(say("unreachable"));
        return;
      }
      if (!answer.ok) {
        tell(say("failed"));
        return;
      }
      const link = el("a", { href: URL.createObjectURL(await answer.blob()), download: config.file });
      document.body.append(link);
      link.click();
      link.remove();
      window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      ui.saved.textContent = say("saved", { file: config.file });
    }

    function build() {
      const lists = config.columns.filter((column) => config.choices[column].length).map((column) =>
        el("datalist", { id: `site-${name}-${column}` }, config.choices[column].map((choice) => el("option", { value: choice }))));
      ui.rows = el("tbody");
      ui.table = el("table", { className: "table site-table", "aria-label": config.title },
        el("thead", {}, el("tr", {}, config.columns.map((column) => el("th", { scope: "col" }, config.titles[column])), el("th"))), ui.rows);
      ui.find = el("input", { type: "search", className: "site-find", placeholder: say("find"), "aria-label": say("find"), oninput: find });
      ui.said = el("div", { className: "site-said", role: "status" });
      ui.numbers = el("div", { className: "site-numbers" });
      ui.take = el("button", { type: "button", className: "pick main", disabled: true, onclick: take }, say("download", { file: config.file }));
      ui.discard = el("button", { type: "button", className: "pick", hidden: true, onclick: () => {
        state.rows = fresh();
        keep();
        fill();
        state.asked += 1;
        window.clearTimeout(state.timer);
        ui.take.disabled = true;
        quiet();
      } }, say("discard"));
      const add = el("button", { type: "button", className: "pick", onclick: () => {
        const row = blank();
        state.rows.push(row);
        const made = line(row, state.rows.length - 1);
        ui.rows.append(made);
        made.querySelector("input").focus();
      } }, say("add"));
      ui.saved = el("span", { className: "note", role: "status" });
      ui.after = el("p", { className: "note site-then", hidden: true }, say("then"), " ",
        el("code", {}, `radops site put --over ${config.digest} ${config.file}`), " ", ui.saved);
      ui.body = el("div", { className: "site-body", hidden: true },
        el("div", { className: "site-tools" }, ui.find, add, ui.discard),
        el("div", { className: "table-scroll", tabindex: "0" }, ui.table), lists, ui.said, ui.numbers,
        el("div", { className: "site-tools" }, ui.take, ui.after));
      ui.toggle = el("button", { type: "button", className: "pick main site-open", "aria-expanded": "false", onclick: () => open(!state.isOpen) }, config.title);
      host.replaceChildren(ui.toggle, ui.body);
      const found = kept();
      state.rows = found || fresh();
      fill();
      quiet();
      if (found) open(true);
    }

    function open(isOpen) {
      state.isOpen = isOpen;
      ui.body.hidden = !isOpen;
      ui.toggle.setAttribute("aria-expanded", String(isOpen));
      ui.toggle.textContent = isOpen ? say("close") : config.title;
      if (isOpen && isChanged()) {
        ui.discard.hidden = false;
        check();
      }
    }

    build();
  }

  function mount() {
    for (const host of document.querySelectorAll(".site-app[data-config]")) {
      const made = `${window.location.search} ${host.dataset.config}`;
      if (host.radopsMade === made && host.firstChild) continue;
      host.radopsMade = made;
      editor(host);
    }
  }

  new MutationObserver(mount).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-config"] });
  mount();
})();
