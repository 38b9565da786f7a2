/* What a team keeps beside the numbers: dialogs that write notes on days. The server's and people's words are set as text,
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
      answer = await fetch(`/team/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
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
      tell(done);
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

  /* ---- Buttons of the pages ---- */

  const OPENS = { "data-note": noteDialog, "data-note-withdraw": withdrawDialog };

  document.addEventListener("click", (event) => {
    if (!ready()) return;
    for (const [name, open] of Object.entries(OPENS)) {
      const button = event.target.closest(`button[${name}]`);
      if (button) open(JSON.parse(button.getAttribute(name)));
    }
  });
})();
