/* The page SQL: editor with completion, schema, queries, run and cancel, result as a grid, a plot and a file.

   The page gives an empty element with everything that is said (texts, figures' style); all else is made here and kept
   while one looks at other pages. The statement is in the address behind `#`, which no server sees. */
(function () {
  const SAVED = "radops-sql-saved";
  const PAGE = 200;
  const MAX_PROPOSALS = 14;
  const MAX_COLOURS = 8;
  const LONG = 600;
  const KEYS = new Set(["ArrowDown", "ArrowUp", "Enter", "Tab", "Escape"]);
  const root = document.documentElement;
  const state = { schema: null, result: null, running: null, page: 0, error: null, charts: "", hasPlot: false };
  let config = null;
  let ui = null;

  const say = (key, values = {}) =>
    Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), config.texts[key] || key);
  const parts = (number, digits) => number.toLocaleString(root.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const count = (number) => number.toLocaleString(root.lang);

  /* An element: attributes by name (`on...` are listeners), then children. */
  function el(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name === "className") made.className = value;
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return made;
  }
  const button = (key, act, more = {}) => el("button", { type: "button", className: "sql-button", onclick: act, ...more }, say(key));

  /* ---- The statement's words ---- */

  const TOKEN = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$\$[\s\S]*?(?:\$\$|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\d+(?:\.\d+)?|[A-Za-z_]\w*|\s+|./g;
  function tokens(text) {
    return [...text.matchAll(TOKEN)].map((found) => {
      const word = found[0];
      const kind = /^(--|\/\*)/.test(word) ? "comment" : /^('|\$\$)/.test(word) ? "string" : word[0] === '"' ? "name"
        : /^\d/.test(word) ? "number" : /^\w/.test(word) ? "word" : /^\s/.test(word) ? "blank" : "sign";
      return { at: found.index, word, kind };
    });
  }
  const reserved = () => (state.reserved ||= new Set((state.schema ? state.schema.keywords : []).flatMap((k) => k.split(" "))));
  const isReserved = (word) => reserved().has(word.toUpperCase());

  /* The statement in colours, with the engine's error and the place of the proposals marked. */
  function paint() {
    const text = ui.text.value;
    const parts = tokens(text).map(({ at, word, kind }) => {
      const shown = kind === "word" && isReserved(word) ? "keyword" : kind;
      return { at, word, shown };
    });
    ui.back.replaceChildren();
    const { at: from, to } = state.error && state.error.at !== null && state.error.statement === text ? state.error : { at: -1 };
    const caret = state.caret === undefined ? -1 : state.caret;
    for (const { at, word, shown } of parts) {
      const cuts = [from, to, caret].filter((cut) => cut > at && cut < at + word.length).sort((a, b) => a - b);
      [at, ...cuts].forEach((start, number) => {
        const piece = text.slice(start, [...cuts, at + word.length][number]);
        if (start === caret) ui.back.append(el("span", { className: "sql-here" }));
        const isWrong = from >= 0 && start >= from && start < Math.max(to || from + 1, from + 1);
        ui.back.append(el("span", { className: `sql-${shown}${isWrong ? " sql-wrong" : ""}` }, piece));
      });
    }
    if (caret === text.length) ui.back.append(el("span", { className: "sql-here" }));
    if (from >= text.length && from >= 0) ui.back.append(el("span", { className: "sql-wrong" }, "\u00a0"));
    ui.back.append("\n\u200b");
  }

  /* ---- Completion ---- */

  /* What stands before the caret: the word that is being written, what it is part of, the call that it is in. */
  function standing(text, caret) {
    const before = tokens(text.slice(0, caret));
    const last = before[before.length - 1];
    if (last && (last.kind === "comment" || last.kind === "string")) {
      const isOpen = last.kind === "comment" ? last.word.startsWith("--") || !last.word.endsWith("*/") : !/^'(?:[^']|'')*'$/.test(last.word);
      if (isOpen) return null;
    }
    const typed = last && last.kind === "word" ? before.pop().word : "";
    let owner = "";
    if (before.length > 1 && before[before.length - 1].word === "." && /word|name/.test(before[before.length - 2].kind)) {
      owner = before[before.length - 2].word.replaceAll('"', "");
      before.splice(-2);
    }
    const words = before.filter(({ kind }) => kind !== "blank" && kind !== "comment");
    let depth = 0;
    let call = null;
    for (let number = words.length - 1; number >= 0 && !call; number -= 1) {
      const { word } = words[number];
      depth += word === ")" ? 1 : word === "(" ? -1 : 0;
      if (depth < 0) {
        if (number >= 3 && words[number - 2].word === ".") call = `${words[number - 3].word}.${words[number - 1].word}`;
        break;
      }
    }
    const previous = words.length ? words[words.length - 1].word : "";
    return { typed, owner, call, previous, start: caret - typed.length };
  }

  /* Tables that the statement names behind FROM and JOIN, with their other names. */
  function named(text) {
    const words = tokens(text).filter(({ kind }) => kind !== "blank" && kind !== "comment").map(({ word }) => word.replaceAll('"', ""));
    const found = new Map();
    words.forEach((word, at) => {
      if (!/^(from|join|describe|summarize|,)$/i.test(word)) return;
      const table = state.schema.tables.find(({ name }) => name === (words[at + 1] || "").toLowerCase());
      if (!table) return;
      found.set(table.name, table);
      const next = /^as$/i.test(words[at + 2] || "") ? words[at + 3] : words[at + 2];
      if (next && /^\w+$/.test(next) && !isReserved(next)) found.set(next, table);
    });
    return found;
  }

  function proposals(text, caret, isAsked) {
    const here = state.schema && standing(text, caret);
    if (!here) return null;
    const tables = named(text);
    const { schema } = state;
    const isRows = /^(from|join|describe|summarize)$/i.test(here.previous);
    let found = [];
    const columns = (list) => list.flatMap((table) => table.columns.map((column) =>
      ({ text: column.name, hint: column.type, note: column.note, kind: "column" })));
    const asTable = (table) => ({ text: table.name, hint: say("table"), note: table.note, kind: "table" });
    const asMacro = (macro, name) => ({ text: `${name}()`, hint: say("function"), note: macro.note, kind: "macro", back: 1, match: name });
    if (here.owner) {
      const macros = schema.macros.filter(({ name }) => name.startsWith(`${here.owner}.`));
      found = macros.length ? macros.map((macro) => asMacro(macro, macro.name.split(".")[1]))
        : tables.has(here.owner) ? columns([tables.get(here.owner)]) : [];
    } else {
      const macro = here.call && schema.macros.find(({ name }) => name === here.call);
      if (macro && /^[(,]$/.test(here.previous)) {
        found = macro.parameters.map((name) => ({ text: `${name} := `, match: name, hint: say("parameter"), note: "", kind: "parameter" }));
      } else if (isRows) {
        found = [...schema.tables.map(asTable), ...schema.macros.map((one) => asMacro(one, one.name))];
      } else if (here.typed || isAsked) {
        found = [
          ...columns([...new Set(tables.values())]),
          ...[...tables.keys()].map((name) => ({ text: name, hint: say("table"), note: "", kind: "table" })),
          ...schema.keywords.map((word) => ({ text: word, hint: "", note: "", kind: "keyword" })),
          ...schema.functions.map((name) => ({ text: `${name}()`, match: name, hint: say("function"), note: "", kind: "function", back: 1 })),
        ];
      }
    }
    const wanted = here.typed.toLowerCase();
    if (!wanted && !isAsked && !here.owner && !isRows && !here.call) return null;
    const key = (one) => (one.match || one.text).toLowerCase();
    const fits = (one) => key(one).startsWith(wanted) ? 0 : wanted.length > 1 && key(one).split(/[._ ]/).some((part) => part.startsWith(wanted)) ? 1
      : wanted.length > 2 && key(one).includes(wanted) ? 2 : 3;
    const seen = new Set();
    const list = found.map((one, number) => ({ one, rank: fits(one), number }))
      .filter(({ one, rank }) => rank < 3 && !seen.has(one.text) && seen.add(one.text))
      .sort((a, b) => a.rank - b.rank || a.number - b.number).slice(0, MAX_PROPOSALS).map(({ one }) => one);
    if (!list.length || (!isAsked && list.length === 1 && key(list[0]) === wanted)) return null;
    if (!isAsked && list.some((one) => one.kind === "keyword" && key(one) === wanted)) return null;
    return { list, start: here.start, isWhole: !isAsked && key(list[0]) === wanted };
  }

  function propose(isAsked) {
    const { selectionStart: caret, selectionEnd: end, value } = ui.text;
    const found = caret === end ? proposals(value, caret, isAsked) : null;
    if (!found) return close();
    state.proposed = { ...found, caret, chosen: 0 };
    state.caret = found.start;
    paint();
    ui.list.replaceChildren(...found.list.map((one, number) => el("li", {
      role: "option", id: `sql-option-${number}`, "aria-selected": number === 0 ? "true" : "false",
      onmousedown: (event) => { event.preventDefault(); choose(number); accept(); },
    }, el("span", { className: `sql-dot sql-of-${one.kind}`, "aria-hidden": "true" }), el("code", {}, one.text.trim()),
    el("small", {}, one.hint), one.note ? el("span", { className: "sql-note" }, one.note) : null)));
    ui.list.hidden = false;
    const mark = ui.back.querySelector(".sql-here");
    const box = ui.edit.getBoundingClientRect();
    const at = mark ? mark.getBoundingClientRect() : box;
    const left = Math.max(0, Math.min(at.left - box.left, box.width - Math.min(460, box.width)));
    ui.list.style.left = `${left}px`;
    ui.list.style.top = `${at.top - box.top + 22}px`;
    ui.text.setAttribute("role", "combobox");
    ui.text.setAttribute("aria-expanded", "true");
    ui.text.setAttribute("aria-activedescendant", "sql-option-0");
  }

  function choose(number) {
    const { list } = state.proposed;
    state.proposed.chosen = (number + list.length) % list.length;
    [...ui.list.children].forEach((item, at) => item.setAttribute("aria-selected", at === state.proposed.chosen ? "true" : "false"));
    ui.list.children[state.proposed.chosen].scrollIntoView({ block: "nearest" });
    ui.text.setAttribute("aria-activedescendant", `sql-option-${state.proposed.chosen}`);
  }

  function accept() {
    const { list, start, chosen } = state.proposed;
    const one = list[chosen];
    close();
    write(one.text, start, ui.text.selectionStart, one.back || 0);
    if (/ := $|\(\)$/.test(one.text)) propose(false);
  }

  function close() {
    if (!state.proposed) return;
    state.proposed = null;
    state.caret = undefined;
    ui.list.hidden = true;
    ui.text.removeAttribute("role");
    ui.text.removeAttribute("aria-expanded");
    ui.text.removeAttribute("aria-activedescendant");
  }

  /* Put text into the statement so that it can be taken back with Ctrl+Z. */
  function write(text, start, end, back) {
    ui.text.focus();
    ui.text.setSelectionRange(start, end);
    if (!document.execCommand("insertText", false, text)) ui.text.setRangeText(text, start, end, "end");
    const caret = ui.text.selectionStart - back;
    ui.text.setSelectionRange(caret, caret);
    changed();
  }

  function insert(text, back = 0) {
    const { selectionStart: start, selectionEnd: end, value } = ui.text;
    const gap = start > 0 && /[\w)"]/.test(value[start - 1]) ? " " : "";
    close();
    write(gap + text, start, end, back);
  }

  /* ---- The address ---- */

  async function squeezed(bytes, make) {
    const stream = new Blob([bytes]).stream().pipeThrough(make);
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function toHash(statement) {
    if (!statement) return "";
    if (statement.length <= LONG || !window.CompressionStream) return `#s=${encodeURIComponent(statement)}`;
    const bytes = await squeezed(new TextEncoder().encode(statement), new CompressionStream("deflate-raw"));
    const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    return `#z=${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
  }

  async function fromHash(hash) {
    try {
      if (hash.startsWith("#s=")) return decodeURIComponent(hash.slice(3));
      if (!hash.startsWith("#z=")) return null;
      const text = atob(hash.slice(3).replaceAll("-", "+").replaceAll("_", "/"));
      const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
      return new TextDecoder().decode(await squeezed(bytes, new DecompressionStream("deflate-raw")));
    } catch (error) {
      return null; // a link that was cut on its way
    }
  }

  async function toAddress(isStep) {
    const hash = await toHash(ui.text.value);
    if (!ui.body.isConnected || window.location.pathname !== "/sql" || window.location.hash === hash) return;
    const href = window.location.pathname + window.location.search + hash;
    window.history[isStep ? "pushState" : "replaceState"](window.history.state, "", href);
  }

  async function fromAddress() {
    if (!ui || !ui.body.isConnected) return;
    const statement = await fromHash(window.location.hash);
    if (statement !== null && statement !== ui.text.value) set(statement, false);
    else if (statement === null) toAddress(false);
  }

  function set(statement, isStep = true) {
    ui.text.value = statement;
    close();
    changed();
    if (isStep) toAddress(true);
  }

  function changed() {
    paint();
    ui.run.disabled = !ui.text.value.trim() && !state.running;
    window.clearTimeout(state.later);
    state.later = window.setTimeout(toAddress, 400, false);
  }

  /* ---- Run and cancel ---- */

  const token = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  function post(path, body, signal) {
    return fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
  }

  async function run() {
    if (state.running || !ui.text.value.trim()) return;
    close();
    toAddress(true);
    const mine = { token: token(), began: performance.now(), statement: ui.text.value };
    state.running = mine;
    state.error = null;
    paint();
    busy();
    let told;
    try {
      const answer = await post("/sql/run", { statement: mine.statement, token: mine.token, seq: config.seq });
      told = answer.ok ? await answer.json() : { problem: "server", message: say(answer.status === 503 ? "busy" : "failed") };
    } catch (error) {
      told = { problem: "server", message: say("unreachable") };
    }
    state.running = null;
    window.clearInterval(state.clock);
    if (told.problem) {
      state.error = { ...told, at: told.at === undefined ? null : told.at, statement: mine.statement };
    } else {
      state.result = { ...told, statement: mine.statement };
      state.page = 0;
      state.picked = null;
    }
    paint();
    show();
  }

  function cancel() {
    if (!state.running) return;
    post("/sql/cancel", { token: state.running.token }).catch(() => undefined);
    tell(say("cancelling"));
  }

  function busy() {
    const tick = () => {
      const seconds = (performance.now() - state.running.began) / 1000;
      ui.clock.textContent = say("seconds", { seconds: seconds.toFixed(1) });
    };
    ui.run.hidden = true;
    ui.cancel.hidden = false;
    ui.clock.hidden = false;
    ui.body.classList.add("is-running");
    tell(say("running"), true);
    state.clock = window.setInterval(tick, 100);
    tick();
  }

  /* ---- The result ---- */

  function position({ statement, at }) {
    const lines = statement.slice(0, at).split("\n");
    return { line: lines.length, column: lines[lines.length - 1].length + 1 };
  }

  function show() {
    ui.run.hidden = false;
    ui.cancel.hidden = true;
    ui.clock.hidden = true;
    ui.body.classList.remove("is-running");
    const { error, result } = state;
    ui.error.replaceChildren();
    ui.error.hidden = !error;
    if (error) {
      const where = error.at !== null && position(error);
      ui.error.append(el("p", {}, error.message));
      if (where && error.problem === "engine") {
        ui.error.append(el("button", { type: "button", className: "sql-link", onclick: () => {
          ui.text.focus();
          ui.text.setSelectionRange(error.at, Math.max(error.to || 0, error.at));
        } }, say("where", where)));
      }
      tell(error.message, true);
    }
    ui.result.hidden = !result;
    ui.empty.hidden = Boolean(result) || Boolean(error);
    if (!result) return;
    ui.result.classList.toggle("is-old", Boolean(error));
    const told = say("told", { n: count(result.rows.length), seconds: parts(result.seconds, result.seconds < 1 ? 3 : 1) });
    ui.told.replaceChildren(el("strong", {}, say(error ? "before" : "rows", { n: count(result.rows.length) })),
      ` ${say("took", { seconds: parts(result.seconds, result.seconds < 1 ? 3 : 1) })} `,
      el("code", { title: say("snapshot") }, result.snapshot));
    if (!error) tell(told, true);
    ui.cut.hidden = !result.cut;
    ui.cut.textContent = result.cut ? say(`cut.${result.cut}`, { n: count(result.rows.length) }) : "";
    fresh();
    grid();
    picks();
    draw();
  }

  /* Say something; what is on the page anyway is spoken only. */
  function tell(text, isSpoken = false) {
    ui.status.textContent = text;
    ui.status.classList.toggle("is-spoken", isSpoken);
  }

  /* Whether the result is of the newest snapshot. */
  function fresh() {
    const newest = document.getElementById("snapshot-id");
    const isOld = Boolean(state.result && newest && !config.seq && newest.textContent !== state.result.snapshot);
    ui.stale.hidden = !isOld;
  }

  const NUMBER = new Intl.NumberFormat("en-US", { maximumFractionDigits: 6, useGrouping: false });
  function cell(value, kind) {
    if (value === null) return el("td", { className: kind === "number" ? "num sql-null" : "sql-null" }, "NULL");
    const text = String(value);
    const shown = kind === "number" && typeof value === "number" && !Number.isInteger(value) && Math.abs(value) >= 1e-4
      ? NUMBER.format(value) : text;
    return el("td", { className: kind === "number" ? "num" : null, title: shown !== text || text.length > 60 ? text : null }, shown);
  }

  function grid() {
    const { names, types, kinds, rows } = state.result;
    const first = state.page * PAGE;
    const part = rows.slice(first, first + PAGE);
    const head = el("tr", {}, el("th", { className: "sql-nr", scope: "col" }, "#"), names.map((name, at) =>
      el("th", { scope: "col", className: kinds[at] === "number" ? "num" : null }, el("span", {}, name), el("small", {}, types[at]))));
    const body = part.map((row, number) => el("tr", {}, el("td", { className: "sql-nr" }, count(first + number + 1)),
      row.map((value, at) => cell(value, kinds[at]))));
    ui.grid.replaceChildren(el("table", { className: "sql-table", "aria-label": say("grid") }, el("thead", {}, head), el("tbody", {}, body)));
    ui.grid.scrollTop = 0;
    if (!rows.length) ui.grid.append(el("p", { className: "sql-none" }, say("none")));
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    ui.pager.hidden = pages < 2;
    const turn = (by) => () => { state.page += by; grid(); };
    ui.pager.replaceChildren(button("previous", turn(-1), { disabled: state.page === 0 }),
      el("span", {}, say("page", { first: count(first + 1), last: count(first + part.length), n: count(rows.length) })),
      button("next", turn(1), { disabled: state.page >= pages - 1 }));
  }

  async function file(kind) {
    const { statement, seq } = state.result;
    tell(say("file"));
    try {
      const answer = await post("/sql/file", { statement, token: token(), seq, kind });
      if (!answer.ok) throw new Error(String(answer.status));
      const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
      save(await answer.blob(), name);
      tell(say("saved.file", { name }));
    } catch (error) {
      tell(say(error.message === "503" ? "busy" : "failed"));
    }
  }

  function save(blob, name) {
    const href = URL.createObjectURL(blob);
    const link = el("a", { href, download: name });
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(href), 10_000);
  }

  /* ---- The plot ---- */

  function picks() {
    const { names, kinds, rows } = state.result;
    const isPlottable = rows.length > 0 && kinds.includes("number");
    ui.plotToggle.disabled = !isPlottable;
    if (!isPlottable) { ui.plot.hidden = true; return; }
    ui.plot.hidden = !state.hasPlot;
    ui.plotToggle.setAttribute("aria-expanded", String(state.hasPlot));
    if (!state.picked) {
      const numbers = names.map((_, at) => at).filter((at) => kinds[at] === "number");
      const x = [kinds.indexOf("time"), kinds.findIndex((kind) => kind === "text" || kind === "flag"), 0].find((at) => at >= 0);
      const others = numbers.filter((at) => at !== x);
      const y = others.find((at) => /^(value|median|mean|n_)|_min$/.test(names[at])) ?? others[0] ?? numbers[0];
      const n = (at) => new Set(rows.map((row) => row[at])).size;
      const colour = names.findIndex((_, at) => at !== x && (kinds[at] === "text" || kinds[at] === "flag") && n(at) > 1 && n(at) <= MAX_COLOURS);
      const isRepeated = n(x) < rows.length;
      const isCourse = new Set(rows.map((row) => `${row[x]} ${colour < 0 ? "" : row[colour]}`)).size === rows.length;
      const kind = kinds[x] === "time" ? (isCourse ? "line" : "points") : kinds[x] === "number" ? "points" : "bar";
      state.picked = { x, y, colour: isRepeated ? colour : -1, kind };
    }
    const choice = (key, options) => {
      const made = el("select", { "aria-label": say(key), onchange: () => {
        state.picked[key] = key === "kind" ? made.value : Number(made.value);
        draw();
      } }, options.map(([value, text]) => el("option", { value, selected: String(state.picked[key]) === String(value) }, text)));
      return el("label", {}, el("span", {}, say(key)), made);
    };
    const columns = names.map((name, at) => [at, name]);
    ui.picks.replaceChildren(choice("kind", ["line", "bar", "points"].map((kind) => [kind, say(kind)])), choice("x", columns),
      choice("y", columns.filter(([at]) => kinds[at] === "number")), choice("colour", [[-1, say("no.colour")], ...columns]));
  }

  /* plotly.js, brought when the first plot is wanted. */
  function plotly() {
    if (window.Plotly) return Promise.resolve(window.Plotly);
    state.plotly ||= new Promise((done, failed) => {
      document.head.append(el("script", { src: window.radopsSql.charts, onload: () => done(window.Plotly), onerror: failed }));
    });
    return state.plotly;
  }

  async function draw() {
    if (!state.hasPlot || ui.plot.hidden || !ui.body.isConnected) return;
    const Plotly = await plotly();
    const { names, kinds, rows } = state.result;
    const { x, y, colour, kind } = state.picked;
    const groups = new Map();
    for (const row of rows) {
      const name = colour < 0 ? "" : row[colour] === null ? "NULL" : String(row[colour]);
      if (!groups.has(name)) groups.set(name, { x: [], y: [] });
      groups.get(name).x.push(row[x]);
      groups.get(name).y.push(row[y] === null ? null : Number(row[y]));
    }
    const shown = [...groups].slice(0, MAX_COLOURS);
    const data = shown.map(([name, values]) => ({
      ...values, name: name || names[y], type: kind === "bar" ? "bar" : "scatter",
      ...(kind === "bar" ? {} : { mode: kind === "line" ? (values.x.length > 60 ? "lines" : "lines+markers") : "markers", marker: { size: 6 }, line: { width: 2 } }),
    }));
    const layout = structuredClone(config.figure);
    layout.template = config.templates[root.dataset.mantineColorScheme] || config.templates.light;
    layout.showlegend = colour >= 0;
    layout.xaxis = { ...layout.xaxis, title: { text: names[x] }, type: kinds[x] === "time" ? "date" : kinds[x] === "number" ? "linear" : "category" };
    layout.yaxis = { ...layout.yaxis, title: { text: names[y] }, ...(kind === "bar" ? { rangemode: "tozero" } : {}) };
    layout.autosize = true;
    await Plotly.react(ui.drawn, data, layout, { displayModeBar: false, responsive: true });
    const more = groups.size > shown.length ? ` ${say("colours", { n: count(shown.length), all: count(groups.size) })}` : "";
    const drawn = shown.reduce((sum, [, values]) => sum + values.x.length, 0);
    ui.drawnOf.textContent = say(state.result.cut ? "drawn.cut" : "drawn", { n: count(drawn), all: count(rows.length) }) + more;
  }

  /* ---- Queries that are kept in this browser ---- */

  function kept() {
    try {
      const found = JSON.parse(window.localStorage.getItem(SAVED));
      return found && typeof found === "object" ? found : {};
    } catch (error) {
      return {};
    }
  }

  function keep(all) {
    try {
      window.localStorage.setItem(SAVED, JSON.stringify(all));
    } catch (error) {
      tell(say("no.storage"));
    }
    queries();
  }

  function toFile(all) {
    return Object.entries(all).map(([name, statement]) => `-- name: ${name.replaceAll("\n", " ")}\n${statement.trim().replace(/;\s*$/, "")};\n`).join("\n");
  }

  function fromFile(text) {
    const found = {};
    for (const part of text.split(/^-- name: /m).slice(1)) {
      const [name, ...lines] = part.split("\n");
      const statement = lines.join("\n").trim().replace(/;$/, "");
      if (name.trim() && statement) found[name.trim()] = statement;
    }
    return found;
  }

  function queries() {
    const own = kept();
    const item = (name, statement, more) => el("li", {}, el("button", { type: "button", className: "sql-pick", title: statement, onclick: () => set(statement) }, name), more);
    ui.saved.replaceChildren(...Object.entries(own).map(([name, statement]) => item(name, statement,
      el("button", { type: "button", className: "sql-drop", "aria-label": say("drop", { name }), title: say("drop", { name }), onclick: () => {
        const rest = kept();
        delete rest[name];
        keep(rest);
      } }, "×"))));
    if (!Object.keys(own).length) ui.saved.append(el("li", { className: "sql-none" }, say("saved.none")));
    ui.out.disabled = !Object.keys(own).length;
    ui.worked.replaceChildren(...(state.schema ? state.schema.worked : []).map(({ name, statement }) => item(name, statement)));
  }

  /* ---- The schema ---- */

  function schema() {
    const wanted = ui.filter.value.trim().toLowerCase();
    const has = (...texts) => !wanted || texts.some((text) => text.toLowerCase().includes(wanted));
    const entry = (name, note, hint, onpick, parts) => {
      const inner = el("ul", { className: "sql-parts", hidden: true });
      const open = (isOpen) => {
        if (isOpen && !inner.childElementCount) inner.append(...parts().map(([text, kind, told, act]) => el("li", {},
          el("button", { type: "button", className: "sql-pick", title: told, onclick: act }, el("code", {}, text)), el("small", {}, kind), el("span", { className: "sql-note" }, told))));
        inner.hidden = !isOpen;
        twist.setAttribute("aria-expanded", String(isOpen));
      };
      const twist = el("button", { type: "button", className: "sql-twist", "aria-expanded": "false", "aria-label": say("parts", { name }), onclick: () => open(inner.hidden) });
      const made = el("li", {}, el("div", { className: "sql-entry" }, twist,
        el("button", { type: "button", className: "sql-pick", title: note, onclick: onpick }, el("code", {}, name)), el("small", {}, hint)),
      el("p", { className: "sql-note", title: note }, note), inner);
      if (wanted && !has(name)) open(true);
      return made;
    };
    const tables = state.schema.tables.filter(({ name, note, columns }) => has(name, note, ...columns.map((c) => c.name), ...columns.map((c) => c.note)));
    const macros = state.schema.macros.filter(({ name, note }) => has(name, note));
    ui.tables.replaceChildren(...tables.map((table) => entry(table.name, table.note, table.n_rows === null ? "" : count(table.n_rows),
      () => insert(ui.text.value.trim() ? table.name : `FROM ${table.name} LIMIT 100`),
      () => table.columns.filter(({ name, note }) => !wanted || has(table.name) || has(name, note))
        .map((column) => [column.name, column.type, column.note, () => insert(column.name)]))));
    ui.macros.replaceChildren(...macros.map((macro) => entry(macro.name, macro.note, "",
      () => insert(ui.text.value.trim() ? `${macro.name}()` : `FROM ${macro.name}()`, 1),
      () => macro.parameters.map((name) => [`${name} :=`, "", "", () => insert(`${name} := `)]))));
    ui.noneFound.hidden = tables.length + macros.length > 0;
    ui.headTables.textContent = say("tables", { n: count(tables.length) });
    ui.headMacros.textContent = say("macros", { n: count(macros.length) });
  }

  async function learn() {
    try {
      const answer = await fetch("/sql/schema");
      if (!answer.ok) return;
      state.schema = await answer.json();
    } catch (error) {
      return; // one can write without proposals
    }
    state.reserved = null;
    schema();
    queries();
    paint();
  }

  /* ---- The page ---- */

  function keydown(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      propose(true);
    } else if (event.key === "Enter" && state.proposed && state.proposed.isWhole && state.proposed.chosen === 0) {
      close(); // the word is whole already: go on to the next line
    } else if (state.proposed && KEYS.has(event.key) && !event.shiftKey) {
      event.preventDefault();
      if (event.key === "Escape") { close(); paint(); event.stopPropagation(); }
      else if (event.key.startsWith("Arrow")) choose(state.proposed.chosen + (event.key === "ArrowDown" ? 1 : -1));
      else accept();
    }
  }

  function tabs() {
    const panels = { schema: ui.schemaPanel, queries: ui.queryPanel };
    const choose_ = (name) => Object.entries(panels).forEach(([key, panel]) => {
      panel.hidden = key !== name;
      ui.tab[key].setAttribute("aria-selected", String(key === name));
      ui.tab[key].tabIndex = key === name ? 0 : -1;
    });
    ui.tab = {};
    const strip = el("div", { className: "sql-tabs", role: "tablist", "aria-label": say("side") }, Object.keys(panels).map((key) => {
      panels[key].id = `sql-panel-${key}`;
      panels[key].setAttribute("role", "tabpanel");
      panels[key].setAttribute("aria-label", say(`tab.${key}`));
      return (ui.tab[key] = el("button", { type: "button", role: "tab", "aria-controls": `sql-panel-${key}`, onclick: () => choose_(key),
        onkeydown: (event) => {
          if (!/^Arrow(Left|Right)$/.test(event.key)) return;
          const other = key === "schema" ? "queries" : "schema";
          choose_(other);
          ui.tab[other].focus();
        } }, say(`tab.${key}`)));
    }));
    choose_("schema");
    return strip;
  }

  function build() {
    ui = {};
    ui.text = el("textarea", {
      id: "sql-text", className: "sql-text", spellcheck: "false", autocomplete: "off", autocapitalize: "off", rows: 7, wrap: "soft",
      "aria-label": say("editor"), "aria-autocomplete": "list", "aria-controls": "sql-list", "aria-haspopup": "listbox",
      "aria-describedby": "sql-keys", placeholder: say("placeholder"), onkeydown: keydown,
      oninput: () => { changed(); propose(false); }, onblur: () => { if (state.proposed) { close(); paint(); } },
      onclick: () => { if (state.proposed) { close(); paint(); } },
    });
    ui.back = el("pre", { className: "sql-back", "aria-hidden": "true" });
    ui.list = el("ul", { id: "sql-list", className: "sql-list", role: "listbox", "aria-label": say("proposals"), hidden: true });
    ui.edit = el("div", { className: "sql-edit" }, el("div", { className: "sql-both" }, ui.back, ui.text), ui.list);
    ui.run = button("run", run, { id: "sql-run", className: "sql-button main" });
    ui.cancel = button("cancel", cancel, { id: "sql-cancel", className: "sql-button stop", hidden: true });
    ui.clock = el("span", { className: "sql-clock", "aria-hidden": "true", hidden: true });
    ui.status = el("span", { className: "sql-status", role: "status" });
    ui.name = el("input", { className: "sql-input", "aria-label": say("name"), placeholder: say("name"), maxlength: 120 });
    const keepIt = (event) => {
      event.preventDefault();
      const name = ui.name.value.trim();
      if (!name || !ui.text.value.trim()) return;
      keep({ ...kept(), [name]: ui.text.value });
      ui.naming.hidden = true;
      tell(say("saved.done", { name }));
    };
    ui.naming = el("form", { className: "sql-naming", hidden: true, onsubmit: keepIt }, ui.name, el("button", { className: "sql-button" }, say("save.ok")));
    const ask = () => { ui.naming.hidden = !ui.naming.hidden; if (!ui.naming.hidden) ui.name.focus(); };
    const share = async () => {
      await toAddress(false);
      try {
        await navigator.clipboard.writeText(window.location.href);
        tell(say("shared"));
      } catch (error) {
        tell(say("shared.not"));
      }
    };
    const tools = el("div", { className: "sql-tools" }, ui.run, ui.cancel, ui.clock, el("span", { id: "sql-keys", className: "sql-keys" }, say("keys")),
      el("span", { className: "sql-gap" }), button("save", ask), button("share", share));
    const editor = el("section", { className: "card sql-editor", "aria-label": say("editor") }, ui.edit, tools, ui.naming);

    ui.error = el("div", { className: "sql-error", role: "alert", hidden: true });
    ui.told = el("p", { className: "sql-told" });
    ui.cut = el("p", { className: "sql-cut", hidden: true });
    ui.stale = el("p", { className: "sql-cut", hidden: true }, say("stale"), " ", el("button", { type: "button", className: "sql-link", onclick: run }, say("again")));
    ui.grid = el("div", { className: "sql-grid", tabindex: 0, role: "region", "aria-label": say("grid") });
    ui.pager = el("nav", { className: "sql-pager", "aria-label": say("pages") });
    ui.picks = el("div", { className: "sql-picks" });
    ui.drawn = el("div", { className: "sql-drawn", role: "img", "aria-label": say("plot.label") });
    ui.drawnOf = el("p", { className: "note" });
    ui.plot = el("div", { className: "sql-plot", id: "sql-plot", hidden: true }, ui.picks, ui.drawn, ui.drawnOf);
    ui.plotToggle = button("plot", () => { state.hasPlot = !state.hasPlot; picks(); draw(); }, { "aria-expanded": "false", "aria-controls": "sql-plot" });
    ui.result = el("section", { className: "card sql-result", "aria-label": say("result"), hidden: true },
      el("div", { className: "sql-head" }, ui.told, el("div", { className: "sql-ways" }, ui.plotToggle,
        button("csv", () => file("csv")), button("parquet", () => file("parquet")))),
      ui.cut, ui.stale, ui.plot, ui.grid, ui.pager);
    ui.empty = el("div", { className: "card sql-empty" }, el("strong", {}, say("empty")), el("span", {}, say("empty.hint")));

    ui.filter = el("input", { type: "search", className: "sql-input", placeholder: say("filter"), "aria-label": say("filter"), oninput: () => state.schema && schema() });
    ui.tables = el("ul", { className: "sql-entries" });
    ui.macros = el("ul", { className: "sql-entries" });
    ui.headTables = el("h2", {}, say("tables", { n: "" }));
    ui.headMacros = el("h2", {}, say("macros", { n: "" }));
    ui.noneFound = el("p", { className: "sql-none", hidden: true }, say("filter.none"));
    ui.schemaPanel = el("div", {}, ui.filter, ui.noneFound, ui.headTables, ui.tables, ui.headMacros, ui.macros);
    ui.saved = el("ul", { className: "sql-entries" });
    ui.worked = el("ul", { className: "sql-entries" });
    ui.pickFile = el("input", { type: "file", accept: ".sql,text/plain", hidden: true, onchange: async () => {
      const text = ui.pickFile.files.length ? await ui.pickFile.files[0].text() : "";
      ui.pickFile.value = "";
      const found = fromFile(text);
      keep({ ...kept(), ...found });
      tell(say("in.done", { n: count(Object.keys(found).length) }));
    } });
    ui.out = button("out", () => save(new Blob([toFile(kept())], { type: "application/sql" }), "radops_queries.sql"));
    ui.queryPanel = el("div", {}, el("h2", {}, say("saved")), ui.saved, el("div", { className: "sql-both-ways" }, button("in", () => ui.pickFile.click()), ui.out, ui.pickFile),
      el("h2", {}, say("worked")), ui.worked);
    ui.sideToggle = el("button", { type: "button", className: "sql-button sql-side-toggle", "aria-expanded": "false", onclick: () => {
      const isOpen = ui.body.classList.toggle("side-open");
      ui.sideToggle.setAttribute("aria-expanded", String(isOpen));
    } }, say("side"));
    const side = el("section", { className: "sql-side card", "aria-label": say("side") }, tabs(), ui.schemaPanel, ui.queryPanel);
    ui.body = el("div", { className: "sql-body", onkeydown: (event) => { if (event.key === "Escape" && !state.proposed) cancel(); } },
      el("div", { className: "sql-main" }, editor, ui.status, ui.error, ui.result, ui.empty), ui.sideToggle, side);
    queries();
    changed();
    learn();
  }

  function mount() {
    const host = document.getElementById("sql-app");
    if (!host || (ui && ui.body.parentElement === host)) return;
    config = JSON.parse(host.dataset.config);
    const isFirst = !ui;
    if (isFirst) build();
    host.replaceChildren(ui.body);
    fromAddress();
    fresh();
    if (isFirst) ui.text.focus({ preventScroll: true });
    else if (state.schema && state.schema.snapshot !== (document.getElementById("snapshot-id") || {}).textContent) learn();
  }

  window.addEventListener("hashchange", fromAddress);
  window.addEventListener("pagehide", () => {
    if (!state.running) return;
    navigator.sendBeacon("/sql/cancel", new Blob([JSON.stringify({ token: state.running.token })], { type: "application/json" }));
  });
  new MutationObserver(() => { mount(); if (ui && ui.body.isConnected) fresh(); }).observe(document.body, { childList: true, subtree: true, characterData: false });
  new MutationObserver(() => { if (ui && state.result) draw(); }).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
  mount();
})();
