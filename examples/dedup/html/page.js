"use strict";
(() => {
  const $ = id => document.getElementById(id);
  const list = $("list"), viewer = $("viewer"), start = $("start"), filter = $("filter");
  const rows = [...list.children];
  const HUES = 6;

  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const percent = share => Math.round(share * 100) + "%";
  const link = row => row.firstElementChild;
  const shown = () => [...list.children].filter(row => !row.hidden);

  // What the page says of an article: its line in the cluster.
  const idOf = line => line.querySelector("bdi").cloneNode(true);
  const textOf = line => $(line.dataset.text)?.textContent ?? line.querySelector(".text")?.textContent ?? "";
  const passagesOf = (line, left, right) => {
    const at = line.dataset.passages ?? $(line.dataset.text)?.closest("li").dataset.passages;
    if (at) return JSON.parse(at);
    return left === right ? [[0, left.length, 0, right.length, 0]] : [];
  };

  const signals = [...$("signals").children];
  const bar = (from, size) => {
    const fill = make("i");
    fill.style.setProperty("--from", from * 100 + "%");
    fill.style.setProperty("--size", size * 100 + "%");
    const bar = make("span", { className: "bar" }, fill);
    bar.setAttribute("aria-hidden", "true");
    return bar;
  };
  const signal = (value, about) => {
    const [name, meaning] = about.children;
    const entry = make("div", { title: meaning.textContent }, make("dt", {}, name.textContent));
    if (about.dataset.shape === "count") entry.append(make("dd", {}, value.toLocaleString()));
    else if (about.dataset.shape === "signed") {
      const sign = value < 0 ? "−" : "+";
      entry.append(make("dd", {}, sign + Math.abs(value).toFixed(2)), bar((1 + Math.min(value, 0)) / 2, Math.abs(value) / 2));
    } else entry.append(make("dd", {}, percent(value)), bar(0, value));
    return entry;
  };

  // What is open: the cluster's row and lines, the line beside the representative, its passages and the current one.
  let row = null, lines = [], line = 0, passages = [], current = -1;

  const hue = number => "hue-" + (number % HUES);
  const paint = (pane, text, side) => {
    const order = passages.map((_, number) => number).sort((a, b) => passages[a][side] - passages[b][side]);
    const parts = document.createDocumentFragment();
    let end = 0;
    for (const number of order) {
      const passage = passages[number];
      const mark = make("mark", { className: hue(number) + (passage[4] ? " retold" : "") }, text.slice(passage[side], passage[side + 1]));
      mark.dataset.number = number + 1;
      parts.append(text.slice(end, passage[side]), mark);
      end = passage[side + 1];
    }
    parts.append(text.slice(end));
    pane.replaceChildren(parts);
    pane.scrollTop = 0;
  };
  const drawLinks = (left, right) => {
    const polygons = passages.map(([leftFrom, leftTo, rightFrom, rightTo], number) => {
      const polygon = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
      const at = (place, text) => (place / Math.max(text.length, 1)) * 1000;
      polygon.setAttribute("points", `0,${at(leftFrom, left)} 100,${at(rightFrom, right)} 100,${at(rightTo, right)} 0,${at(leftTo, left)}`);
      polygon.setAttribute("class", hue(number));
      polygon.dataset.number = number + 1;
      return polygon;
    });
    $("links").replaceChildren(...polygons);
  };

  const tellPassage = () => {
    const number = passages.length;
    const kind = current >= 0 && (passages[current][4] ? ", reworded" : ", the same words");
    $("passage").textContent =
      current >= 0 ? `Passage ${current + 1} of ${number}${kind}` : number === 1 ? "1 shared passage" : `${number} shared passages`;
    $("previous-passage").disabled = $("next-passage").disabled = number === 0;
  };
  const goToPassage = number => {
    if (passages.length === 0) return;
    current = (number + passages.length) % passages.length;
    for (const old of viewer.querySelectorAll(".current")) old.classList.remove("current");
    for (const found of viewer.querySelectorAll(`[data-number="${current + 1}"]`)) {
      found.classList.add("current");
      const pane = found.closest(".text");
      if (pane) pane.scrollTop += found.getBoundingClientRect().top - pane.getBoundingClientRect().top - pane.clientHeight / 4;
    }
    tellPassage();
  };

  const VERDICTS = {
    exact: () => "The same words in the same order.",
    near: similarity => `An edited copy: similarity ${similarity}.`,
    reworded: similarity => `The same text in other words: confidence ${similarity}.`,
    none: (similarity, missing) => missing ? `Not let in: ${similarity}, which is ${Number(missing).toFixed(2)} short of a copy.` : `No copy: ${similarity}.`,
  };
  const tellCover = (left, right) => {
    const cover = (text, from, to) => percent(passages.reduce((sum, passage) => sum + passage[to] - passage[from], 0) / Math.max(text.length, 1));
    return ` Shared passages cover ${cover(left, 0, 1)} of the left text and ${cover(right, 2, 3)} of the right.`;
  };
  // The articles to choose from: of a large cluster, those around the one that is open.
  const SHEET = 500;
  const listMembers = () => {
    const first = line - ((line - 1) % SHEET), next = Math.min(first + SHEET, lines.length);
    const to = (at, ...parts) => {
      const button = make("button", { type: "button" }, ...parts);
      button.setAttribute("aria-pressed", at === line);
      button.onclick = () => { location.hash = link(row).hash + "-" + at; };
      return make("li", {}, button);
    };
    const entries = lines.slice(first, next).map((member, i) => {
      const { relation, similarity, missing } = member.dataset;
      const name = missing ? "not let in" : relation === "none" ? "no copy" : relation;
      return to(first + i, idOf(member), make("span", { className: "relation " + relation }, name),
        Number(similarity).toFixed(2), bar(0, similarity));
    });
    if (first > 1) entries.unshift(to(first - 1, `${(first - 1).toLocaleString()} before these`));
    if (next < lines.length) entries.push(to(next, `${(lines.length - next).toLocaleString()} after these`));
    $("members").replaceChildren(...entries);
    $("members").querySelector("[aria-pressed=true]").scrollIntoView({ block: "nearest" });
  };
  const openPair = at => {
    line = at;
    const member = lines[at];
    listMembers();
    const left = textOf(lines[0]), right = textOf(member);
    passages = passagesOf(member, left, right);
    current = -1;
    for (const [side, place, of] of [["left", "Representative: ", lines[0]], ["right", "Beside it: ", member]]) {
      $(side + "-id").replaceChildren(place, make("b", {}, idOf(of)));
      $(side + "-id").title = idOf(of).textContent;
    }
    const { relation, similarity, missing } = member.dataset;
    const verdict = VERDICTS[relation](Number(similarity).toFixed(2), missing);
    $("why").replaceChildren(make("b", { className: relation }, verdict), tellCover(left, right));
    const evidence = JSON.parse(member.dataset.evidence ?? "{}");
    const given = signals.filter(about => about.dataset.signal in evidence);
    $("evidence").replaceChildren(...given.map(about => signal(evidence[about.dataset.signal], about)));
    paint($("left"), left, 0);
    paint($("right"), right, 2);
    drawLinks(left, right);
    tellPassage();
  };

  const within = at => Math.min(Math.max(at, 1), lines.length - 1);
  const openCluster = (next, section, at) => {
    if (row) link(row).removeAttribute("aria-current");
    start.hidden = Boolean(next);
    viewer.hidden = !next;
    row = next;
    if (!row) return;
    link(row).setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
    const open = shown();
    $("previous-cluster").disabled = open[0] === row;
    $("next-cluster").disabled = open.at(-1) === row;
    lines = [...section.querySelectorAll("li")];
    $("heading").replaceChildren(...[...section.querySelector("h2").cloneNode(true).childNodes]);
    openPair(within(at));
    viewer.scrollIntoView();
  };

  // The address names what is open: #c12 a cluster, #c12-3 its third article beside the representative.
  const route = () => {
    const [, id, at] = location.hash.match(/^#(c\d+)(?:-(\d+))?$/) ?? [];
    const section = id && $(id);
    const next = section && rows[id.slice(1) - 1];
    const wanted = Number(at ?? 1);
    if (next && next !== row) openCluster(next, section, wanted);
    else if (next) openPair(within(wanted));
    else if (rows.length === 1 && !location.hash) location.replace(link(rows[0]).hash);
    else openCluster(null);
  };
  const step = by => {
    const open = shown();
    const at = open.indexOf(row);
    const next = open[at < 0 ? (by > 0 ? 0 : open.length - 1) : at + by];
    if (next) location.replace(link(next).hash);
  };
  const stepMember = by => {
    const at = line + by;
    if (row && at > 0 && at < lines.length) location.replace(link(row).hash + "-" + at);
  };

  const apply = () => {
    const wanted = $("search").value.trim();
    const pattern = wanted && new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "iu");
    const relation = $("relation").value, most = Number($("weakest").value);
    const holds = row => [...$(link(row).hash.slice(1))?.querySelectorAll("li:not([data-missing]) :is(bdi, .text)") ?? []].some(part => pattern.test(part.textContent));
    $("most").textContent = most.toFixed(2);
    for (const row of rows) {
      const { relations, weakest } = row.dataset;
      row.hidden = !(relations.includes(relation) && Number(weakest) <= most && (!pattern || holds(row)));
    }
    const left = shown().length;
    $("count").textContent = left === rows.length ? "" : `${left.toLocaleString()} of ${rows.length.toLocaleString()} clusters`;
  };
  const sort = () => {
    const by = $("order").value;
    const sorted = { size: (a, b) => b.dataset.size - a.dataset.size, weakest: (a, b) => a.dataset.weakest - b.dataset.weakest };
    list.append(...(by ? [...rows].sort(sorted[by]) : rows));
  };

  let waiting = 0;
  $("search").oninput = () => { clearTimeout(waiting); waiting = setTimeout(apply, 150); };
  $("relation").onchange = $("weakest").oninput = apply;
  $("order").onchange = sort;
  filter.onsubmit = event => { event.preventDefault(); apply(); };
  $("previous-cluster").onclick = () => step(-1);
  $("next-cluster").onclick = () => step(1);
  $("previous-passage").onclick = () => goToPassage(current < 0 ? -1 : current - 1);
  $("next-passage").onclick = () => goToPassage(current + 1);
  $("panes").onclick = event => {
    const number = event.target.dataset.number;
    if (number) goToPassage(number - 1);
  };
  const KEYS = {
    j: () => step(1), k: () => step(-1),
    l: () => stepMember(1), h: () => stepMember(-1),
    n: $("next-passage").onclick, p: $("previous-passage").onclick,
    "/": () => $("search").focus(),
  };
  document.onkeydown = event => {
    const typing = event.target.matches("input[type=search], select");
    if (event.key === "Escape" && typing) event.target.blur();
    if (typing || !$("keys").checked || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  };
  window.onhashchange = route;
  // Clusters follow in the file; until they are there, the list can be read already.
  document.addEventListener("DOMContentLoaded", () => {
    filter.hidden = rows.length < 2;
    apply();
    route();
  });
})();
