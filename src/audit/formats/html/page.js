"use strict";
(() => {
  const PAGE = 100;
  const byId = id => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const { strings, rows, states, changes } = data;
  // The fields of a row, in their order in `rows`.
  const [ACCOUNT, NAME, UNIT, REGION, STATE, KEY, LOCKED, FINDINGS, SINCE, CHANGES] = Array(10).keys();
  const FIELDS = 10;
  const count = rows.length / FIELDS;
  const field = (row, name) => rows[row * FIELDS + name];
  const text = (row, name) => strings[field(row, name)];
  // Characters that turn the direction of text or act otherwise become their numbers.
  const plain = value => String(value).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    c => `\\u{${c.charCodeAt(0).toString(16)}}`);
  const make = (tag, content, className) => {
    const element = document.createElement(tag);
    if (content !== undefined) element.textContent = plain(content);
    if (className) element.className = className;
    return element;
  };
  // keyPolicy is key policy.
  const words = name => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
  const code = content => make("code", content);

  const COLUMNS = [
    ["Account", ACCOUNT, true], ["Organizational unit", UNIT, true], ["Region", REGION, true], ["State", STATE, false],
    ["Key", KEY, true], ["Locked out", LOCKED, false], ["Findings", FINDINGS, false], ["Since", SINCE, true],
  ];
  const sorted = { column: 3, descending: false };
  let state = -1;
  let change = -1;
  let found = [];
  let page = 0;
  const opened = new Set();

  // Strings are compared once; rows are sorted by the ranks of their strings, once for each column.
  const lower = strings.map(value => value.toLowerCase());
  const rank = new Uint32Array(strings.length);
  Array.from(strings.keys()).sort((a, b) => lower[a] < lower[b] ? -1 : lower[a] > lower[b] ? 1 : a - b)
    .forEach((string, position) => { rank[string] = position; });
  const orders = new Map();
  const order = column => {
    if (!orders.has(column)) {
      const [, name, isText] = COLUMNS[column];
      const values = new Uint32Array(count);
      for (let row = 0; row < count; row++) values[row] = isText ? rank[field(row, name)] : field(row, name);
      orders.set(column, Uint32Array.from({ length: count }, (_, row) => row).sort((a, b) => values[a] - values[b] || a - b));
    }
    return orders.get(column);
  };
  const matching = test => Uint8Array.from(lower, (value, string) => test(value, string) ? 1 : 0);

  function filter() {
    const account = byId("account").value.trim().toLowerCase();
    const key = byId("key").value.trim().toLowerCase();
    const region = byId("region").value;
    const unit = byId("unit").value;
    const accounts = account && matching(value => value.includes(account));
    const keys = key && matching(value => value.includes(key));
    const units = unit && matching((_, string) => strings[string] === unit || strings[string].startsWith(unit + "/"));
    const regionAt = region ? strings.indexOf(region) : -1;
    const all = order(sorted.column);
    found = [];
    for (let position = 0; position < count; position++) {
      const at = all[sorted.descending ? count - 1 - position : position] * FIELDS;
      if (state >= 0 && rows[at + STATE] !== state) continue;
      if (change >= 0 && !(rows[at + CHANGES] >> change & 1)) continue;
      if (region && rows[at + REGION] !== regionAt) continue;
      if (accounts && !accounts[rows[at + ACCOUNT]] && !accounts[rows[at + NAME]]) continue;
      if (units && !units[rows[at + UNIT]]) continue;
      if (keys && !keys[rows[at + KEY]]) continue;
      found.push(at / FIELDS);
    }
    page = 0;
    show();
  }

  function show() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const body = document.createDocumentFragment();
    for (const row of found.slice(page * PAGE, (page + 1) * PAGE)) {
      body.append(line(row));
      if (opened.has(row)) body.append(details(row));
    }
    byId("body").replaceChildren(body);
    byId("shown").textContent = `${found.length.toLocaleString("en")} of ${count.toLocaleString("en")} accounts and Regions`;
    byId("page").textContent = `Page ${page + 1} of ${pages}`;
    byId("first").disabled = byId("back").disabled = page === 0;
    byId("next").disabled = byId("last").disabled = page === pages - 1;
    [...byId("heads").children].forEach((head, column) => {
      if (column === sorted.column) head.setAttribute("aria-sort", sorted.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    press("states", state);
    press("changes-list", change);
  }

  const press = (id, pressed) => [...byId(id).children].forEach(button =>
    button.setAttribute("aria-pressed", String(Number(button.dataset.at) === pressed)));

  function line(row) {
    const tr = make("tr");
    tr.dataset.row = row;
    const head = make("th");
    head.scope = "row";
    const button = make("button", text(row, ACCOUNT));
    button.type = "button";
    button.setAttribute("aria-expanded", String(opened.has(row)));
    button.setAttribute("aria-controls", `open-${row}`);
    head.append(button);
    if (field(row, NAME)) head.append(make("small", text(row, NAME)));
    const [, label, tone] = states[field(row, STATE)];
    const stateCell = make("td");
    stateCell.append(make("span", label, `badge ${tone}`));
    const key = make("td", undefined, "key");
    if (field(row, KEY)) key.append(code(text(row, KEY)));
    tr.append(head, make("td", text(row, UNIT)), make("td", text(row, REGION), "short"), stateCell, key,
      make("td", field(row, LOCKED), "number"), make("td", field(row, FINDINGS), "number"), make("td", text(row, SINCE), "short"));
    return tr;
  }

  // The details of a row are read only when it is opened: they are most of the file.
  function details(row) {
    const tr = make("tr", undefined, "open");
    tr.id = `open-${row}`;
    const cell = make("td");
    cell.colSpan = COLUMNS.length;
    tr.append(cell);
    const chunk = byId(`details-${Math.floor(row / data.chunk)}`);
    const detail = chunk && JSON.parse(chunk.textContent)[row % data.chunk];
    if (!detail) {
      cell.append(make("p", "This page has no room for the findings of this row. They are in the report as JSON."));
      return tr;
    }
    const facts = make("dl");
    const fact = (name, value) => {
      if (value === undefined || value === null || value === "") return;
      const dd = make("dd");
      dd.append(code(value));
      facts.append(make("dt", name), dd);
    };
    const { document: found } = detail;
    fact("Looked at", detail.auditedAt);
    fact("Document", found ? `${found.name}, latest version ${found.latest}, default version ${found.default}` : undefined);
    fact("Key of the latest version", found?.kmsKeyId);
    fact("Key of the default version", found?.defaultKmsKeyId);
    fact("Owner", detail.owner);
    fact("Key that the owner wants", detail.wanted);
    for (const key of detail.keys) fact("Key", `${key.arn ?? key.kmsKeyId}${key.problem ? `: ${key.problem}` : ""}`);
    fact("Way to KMS", detail.network);
    if (detail.unreadable) cell.append(make("p", detail.unreadable.message));
    cell.append(facts);
    const list = (title, values) => {
      if (!values.length) return;
      const ul = make("ul");
      ul.append(...values.map(value => make("li", value)));
      cell.append(make("h3", title), ul);
    };
    list("Problems", detail.problems);
    list("Locked out", detail.lockedOut.map(({ principal, side }) => `${principal} as a ${side}`));
    list("Not known", detail.unknown);
    if (detail.findings.length) cell.append(make("h3", "Findings"));
    for (const finding of detail.findings) {
      const box = make("div", undefined, "finding");
      const tone = finding.verdict;
      box.append(make("span", tone, `badge ${tone}`), " ", make("span", words(finding.check)), " ", code(finding.subject));
      if (finding.side) box.append(" ", make("span", `as a ${finding.side}`));
      if (finding.exempt) box.append(" ", make("span", "(exempt)"));
      box.append(make("p", finding.evidence));
      if (finding.remedy) box.append(make("p", finding.remedy, "remedy"));
      cell.append(box);
    }
    if (detail.findingsLeftOut) cell.append(make("p", `${detail.findingsLeftOut} findings more were left out.`));
    return tr;
  }

  function toggle(tr) {
    const row = Number(tr.dataset.row);
    const isOpen = !opened.delete(row);
    if (isOpen) {
      opened.add(row);
      tr.after(details(row));
    } else byId(`open-${row}`)?.remove();
    tr.querySelector("button").setAttribute("aria-expanded", String(isOpen));
  }

  function tile(parent, at, number, label, tone, press) {
    const button = make("button", undefined, tone);
    button.type = "button";
    button.dataset.at = at;
    button.disabled = !number;
    button.append(make("b", number.toLocaleString("en")), plain(label));
    button.addEventListener("click", press);
    byId(parent).append(button);
  }

  const numbers = states.map(() => 0);
  const flagged = changes.map(() => 0);
  const regions = new Set();
  const units = new Set();
  for (let row = 0; row < count; row++) {
    numbers[field(row, STATE)]++;
    regions.add(text(row, REGION));
    units.add(text(row, UNIT));
    for (let flags = field(row, CHANGES), at = 0; flags; flags >>= 1, at++) flagged[at] += flags & 1;
  }
  states.forEach(([, label, tone], at) => tile("states", at, numbers[at], label, tone, () => {
    state = state === at ? -1 : at;
    filter();
  }));
  changes.forEach(([label, tone], at) => tile("changes-list", at, flagged[at], label, tone, () => {
    change = change === at ? -1 : at;
    filter();
  }));
  if (data.since !== null) {
    byId("changes").hidden = false;
    byId("since").textContent = `Since the audit of ${plain(data.since)}. Press a change to see only its rows.`;
    if (data.gone.length) {
      const gone = byId("gone");
      gone.hidden = false;
      gone.querySelector("summary").textContent = `No longer in the audit: ${data.gone.length}`;
      gone.querySelector("ul").append(...data.gone.map(place => make("li", place)));
    }
  }
  if (data.notes.length) {
    byId("notes-section").hidden = false;
    byId("notes-section").querySelector("ul").append(...data.notes.map(note => make("li", note)));
  }
  const options = (id, values) => byId(id).append(...[...values].filter(Boolean).sort().map(value => {
    const option = make("option", value);
    option.value = value;
    return option;
  }));
  // A unit stands for all units below it, so each of their parents can be chosen too.
  for (const unit of [...units]) {
    for (let at = unit.lastIndexOf("/"); at > 0; at = unit.lastIndexOf("/", at - 1)) units.add(unit.slice(0, at));
  }
  options("region", regions);
  options("unit", units);
  byId("heads").append(...COLUMNS.map(([title], column) => {
    const head = make("th");
    head.scope = "col";
    const button = make("button", title);
    button.type = "button";
    button.addEventListener("click", () => {
      sorted.descending = sorted.column === column && !sorted.descending;
      sorted.column = column;
      filter();
    });
    head.append(button);
    return head;
  }));

  const form = byId("filter");
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => {
    state = change = -1;
    // The fields are empty only after this event.
    setTimeout(filter);
  });
  byId("body").addEventListener("click", event => {
    const tr = event.target.closest("tr[data-row]");
    // Whoever marks text does not want the row to open.
    if (tr && (event.target.closest("button") || getSelection().isCollapsed)) toggle(tr);
  });
  for (const [id, go] of [["first", () => 0], ["back", () => page - 1], ["next", () => page + 1], ["last", () => Infinity]]) {
    byId(id).addEventListener("click", () => {
      page = go();
      show();
    });
  }
  filter();
})();
