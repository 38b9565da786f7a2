/* What a team keeps beside the numbers: dialogs that write notes on days, and that save and open views. The server's and people's words are set as text,
   never read as HTML. Focus stays within an open dialog and goes back to where it was; Escape closes. */
(function () {
  /* Milliseconds for which it is said that something was kept. */
  const SAID = 5000;
  let config = null;
  let renewals = 0;

  function ready() {
    const root = document.getElementById("team");
    if (!config && root) config = JSON.parse(root.dataset.config);
    return root;
  }

  function say(key, values = {}) {
    return config.texts[key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  }

  /* One element with attributes, properties (on..., value, checked) and what is in it. */
  function el(name, given, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(given)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on") || key === "value" || key === "checked" || key === "className") made[key] = value;
      else made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...inside.flat().filter((one) => one !== null && one !== undefined));
    return made;
  }

  /* ---- Asking the server ---- */

  async function post(path, body) {
    let answer;
    try {
      answer = await fetch(`/team/${path}?_lang=${document.documentElement.lang}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    } catch (error) {
      return say("unreachable");
    }
    if (answer.ok) return null;
    try {
      return (await answer.json()).problem || say("failed");
    } catch (error) {
      return say("failed");
    }
  }

  /* The page again, in place, as after a publish: what the reader has open stays. */
  function renew() {
    const shown = document.getElementById("snapshot-id");
    renewals += 1;
    window.dash_clientside.set_props("snapshot", { data: `${shown ? shown.textContent : ""} ${renewals}` });
  }

  function tell(told) {
    const line = ready().querySelector(".team-said") || ready().appendChild(el("div", { className: "team-said", role: "status" }));
    line.textContent = told;
    window.clearTimeout(tell.end);
    tell.end = window.setTimeout(() => (line.textContent = ""), SAID);
  }

  /* ---- Dialogs ---- */

  /* A dialog with a form: `send` gives the problem or null, and it closes where there is none. */
  function dialog(title, fields, action, send, done) {
    const problem = el("p", { className: "team-problem", role: "alert" });
    const submit = el("button", { type: "submit", className: "team-main" }, action);
    const close = () => box.close();
    const form = el("form", { onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      problem.textContent = "";
      const told = await send();
      submit.disabled = false;
      problem.textContent = told || "";
      if (told) return;
      close();
      tell(typeof done === "function" ? done() : done);
      renew();
    } }, el("h2", { id: "team-title" }, title), fields, problem,
    el("div", { className: "team-actions" }, el("button", { type: "button", className: "plain", onclick: close }, say("cancel")), submit));
    const box = el("dialog", { className: "team-dialog", "aria-labelledby": "team-title", onclose: () => box.remove() }, form);
    ready().append(box);
    box.showModal();
    return box;
  }

  function labelled(label, control, hint = null) {
    return el("label", { className: "team-field" }, el("span", {}, label), control, hint);
  }

  function checks(key, legend, chosen) {
    const found = config.choices[key] || [];
    const known = new Set(found.map(({ value }) => value));
    const all = [...found, ...chosen.filter((value) => !known.has(value)).map((value) => ({ value, label: value }))];
    const boxes = all.map(({ value, label }) =>
      el("label", { className: "team-check" }, el("input", { type: "checkbox", name: key, value, checked: chosen.includes(value) }), label));
    return el("fieldset", { className: "team-checks" }, el("legend", {}, legend), el("div", {}, boxes));
  }

  /* Filters of the page that have no field of their own, each to keep or to leave. */
  function others(query) {
    const found = [...new URLSearchParams(query)].filter(([key]) => !(key in config.choices));
    if (!found.length) return null;
    const boxes = found.map(([key, value]) => el("label", { className: "team-check" },
      el("input", { type: "checkbox", name: key, value, checked: true }), `${config.labels[key] || key}: ${value}`));
    return el("fieldset", { className: "team-checks" }, el("legend", {}, say("note.others")), el("div", {}, boxes));
  }

  function noteDialog(note) {
    const asked = new URLSearchParams(note.query);
    const most = config.signs.note;
    const left = el("small", { className: "team-hint" });
    const text = el("textarea", { name: "text", rows: 3, maxlength: most, required: true, value: note.text || "", placeholder: say("note.example") });
    const count = () => (left.textContent = say("left", { n: most - text.value.length }));
    text.oninput = count;
    count();
    const since = el("input", { type: "date", name: "since", required: true, value: note.since });
    const last = el("input", { type: "date", name: "last", value: note.last && note.last !== note.since ? note.last : "" });
    const fields = [
      labelled(say("note.text"), text, left),
      el("p", { className: "team-warning" }, say("note.warning")),
      el("div", { className: "team-days" }, labelled(say("note.from"), since), labelled(say("note.to"), last)),
      checks("facility", say("note.facility"), asked.getAll("facility")),
      checks("modality", say("note.modality"), asked.getAll("modality")),
      others(note.query),
      el("p", { className: "team-hint" }, say("note.none")),
    ];
    const box = dialog(say(note.id ? "note.change" : "note.new"), fields, say("save"), () => {
      const query = new URLSearchParams();
      box.querySelectorAll("input[type=checkbox]:checked").forEach((one) => query.append(one.name, one.value));
      return post("note", { id: note.id, version: note.version, since: since.value, last: last.value, query: query.toString(), text: text.value });
    }, say("note.saved"));
    text.focus();
  }

  function withdrawDialog(note) {
    const fields = [el("blockquote", {}, note.text), el("p", { className: "team-hint" }, say("note.withdraw.hint"))];
    dialog(say("note.withdraw"), fields, say("withdraw"), () => post("note/withdraw", { id: note.id, version: note.version }), say("note.withdrawn"));
  }

  /* ---- Saved views ---- */

  function go(href) {
    if (href.includes("#")) {
      window.location.assign(href); // the page SQL listens to what the browser itself does
      return;
    }
    window.history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  async function views() {
    try {
      const answer = await fetch(`/team/views?_lang=${document.documentElement.lang}`);
      return answer.ok ? (await answer.json()).views : null;
    } catch (error) {
      return null;
    }
  }

  function share(is) {
    return el("input", { type: "checkbox", checked: is });
  }

  /* What the page shows now, as it can be kept. */
  function here() {
    const editor = document.querySelector("#sql-app textarea");
    if (editor && editor.value.trim()) return { statement: editor.value };
    return { path: window.location.pathname, query: window.location.search.replace(/^\?/, "") };
  }

  async function viewsDialog() {
    if (document.querySelector("dialog[open]")) return;
    const page = here();
    const told = await views();
    const found = told || [];
    const name = el("input", { type: "text", maxlength: config.signs.name, required: true, placeholder: say("views.example") });
    const shared = share(false);
    const items = found.map((one) => {
      const link = el("a", { href: one.href, onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        box.close();
        go(one.href);
      } }, el("strong", {}, one.name), el("small", {}, one.told), el("small", { className: "view-by" }, one.by));
      return el("li", {}, link);
    });
    const list = items.length ? el("ul", { className: "view-list" }, items) : el("p", { className: "team-hint" }, say(told ? "views.none" : "unreachable"));
    const find = items.length > 6 ? el("input", { type: "search", "aria-label": say("views.find"), placeholder: say("views.find"), oninput: () => {
      const wanted = find.value.toLowerCase();
      items.forEach((item) => (item.hidden = !item.textContent.toLowerCase().includes(wanted)));
    } }) : null;
    const manage = el("a", { href: "/team", className: "team-hint", onclick: (event) => {
      event.preventDefault();
      box.close();
      go("/team");
    } }, say("views.manage"));
    const fields = [
      find, list, el("hr", {}),
      labelled(say(page.statement ? "views.statement" : "views.here"), name, page.statement ? null : el("small", { className: "team-hint" }, say("views.moves"))),
      el("label", { className: "team-check" }, shared, say("views.share")), manage,
    ].filter(Boolean);
    const box = dialog(say("views"), fields, say("save"), () => post("view", { ...page, name: name.value, is_shared: shared.checked }),
      () => say("views.saved", { name: name.value }));
    const first = find || box.querySelector(".view-list a") || name;
    first.focus();
  }

  function renameDialog(view) {
    const name = el("input", { type: "text", maxlength: config.signs.name, required: true, value: view.name });
    const shared = share(view.is_shared);
    const fields = [labelled(say("views.name"), name), el("label", { className: "team-check" }, shared, say("views.share"))];
    dialog(say("views.rename"), fields, say("save"), () => post("view/rename", { id: view.id, name: name.value, is_shared: shared.checked }), say("views.renamed"));
    name.select();
  }

  function removeDialog(view) {
    const fields = [el("blockquote", {}, view.name), el("p", { className: "team-hint" }, say("views.remove.hint"))];
    dialog(say("views.remove"), fields, say("remove"), () => post("view/remove", { id: view.id }), say("views.removed"));
  }

  /* ---- The daily digest ---- */

  async function digestDialog(kept) {
    const found = ((await views()) || []).filter((one) => one.kind === "page");
    const chosen = kept.views || [];
    const to = kept.id ? null : el("input", { type: "email", maxlength: config.signs.address, required: true, autocomplete: "email" });
    const boxes = found.map((one) => el("label", { className: "team-check" },
      el("input", { type: "checkbox", value: one.id, checked: chosen.includes(one.id) }), one.name));
    const spoken = el("select", {}, Object.entries(config.languages).map(([code, name]) => el("option", { value: code }, name)));
    spoken.value = kept.language || document.documentElement.lang;
    const fields = [
      to ? labelled(say("digest.address"), to) : el("p", {}, kept.address),
      labelled(say("digest.language"), spoken),
      boxes.length ? el("fieldset", { className: "team-checks" }, el("legend", {}, say("digest.views")), el("div", {}, boxes))
        : el("p", { className: "team-hint" }, say("digest.none")),
    ];
    const box = dialog(say(kept.id ? "digest.change" : "digest.new"), fields, say("save"), () => {
      const ids = [...box.querySelectorAll("input[type=checkbox]:checked")].map((one) => one.value);
      return post("subscriber", { id: kept.id, address: to ? to.value : undefined, views: ids, language: spoken.value });
    }, say("digest.saved"));
    (to || box.querySelector("input") || box.querySelector("button")).focus();
  }

  function endDialog(kept) {
    const fields = [el("blockquote", {}, kept.address), el("p", { className: "team-hint" }, say("digest.remove.hint"))];
    dialog(say("digest.remove"), fields, say("end"), () => post("subscriber/remove", { id: kept.id }), say("digest.removed"));
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.defaultPrevented || !ready()) return;
    event.preventDefault();
    viewsDialog();
  });

  /* ---- Buttons of the pages ---- */

  const OPENS = {
    "data-note": noteDialog, "data-note-withdraw": withdrawDialog, "data-view-rename": renameDialog, "data-view-remove": removeDialog,
    "data-digest": digestDialog, "data-digest-remove": endDialog,
  };

  document.addEventListener("click", (event) => {
    if (!ready()) return;
    if (event.target.closest("#views-toggle")) viewsDialog();
    for (const [name, open] of Object.entries(OPENS)) {
      const button = event.target.closest(`button[${name}]`);
      if (button) open(JSON.parse(button.getAttribute(name)));
    }
  });
})();
