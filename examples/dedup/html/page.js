"use strict";
(() => {
  const $ = id => document.getElementById(id);
  const list = $("list"), viewer = $("viewer"), members = $("members");
  let rows = [...list.children];
  const HUES = 6;

  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const percent = share => (share > 0 && share < 1 ? Math.min(Math.max(Math.round(share * 100), 1), 99) : share * 100) + "%";
  const link = row => row.firstElementChild;
  const hashOf = row => link(row).hash;
  const shown = () => [...list.children].filter(row => !row.hidden);
  // A button that is disabled would lose the focus.
  const able = (id, is) => $(id).setAttribute("aria-disabled", !is);
  const isAble = id => $(id).getAttribute("aria-disabled") !== "true";

  // Where the clusters are: in the page, or packed in it, block by block: base 85 of gzip of HTML.
  let packs = [];
  const lettersToBytes = letters => {
    const bytes = new Uint8Array(Math.ceil((letters.length * 4) / 5)), rest = letters.length % 5;
    const digit = at => {
      const code = at < letters.length ? letters.charCodeAt(at) : 119;
      return code === 121 ? 25 : code - 35;
    };
    let to = 0;
    for (let at = 0; at < letters.length; at += 5) {
      const four = (((digit(at) * 85 + digit(at + 1)) * 85 + digit(at + 2)) * 85 + digit(at + 3)) * 85 + digit(at + 4);
      bytes[to] = four >>> 24;
      bytes[to + 1] = four >>> 16;
      bytes[to + 2] = four >>> 8;
      bytes[to + 3] = four;
      to += 4;
    }
    return bytes.subarray(0, rest ? to - 5 + rest : to);
  };
  const unpack = async pack => {
    const gzip = new DecompressionStream("gzip"), writer = gzip.writable.getWriter();
    const written = writer.write(lettersToBytes(pack.textContent)).then(() => writer.close());
    const reader = gzip.readable.getReader(), decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let html = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) html += decoder.decode(part.value, { stream: true });
    await written;
    return html;
  };
  const htmls = new Map();
  const htmlOf = pack => {
    if (!htmls.has(pack)) htmls.set(pack, unpack(pack));
    return htmls.get(pack);
  };
  const opened = new Map();
  const OPENED = 4;
  const open = pack => {
    const fragment = opened.get(pack) ?? htmlOf(pack).then(html => make("template", { innerHTML: html }).content);
    opened.delete(pack);
    opened.set(pack, fragment);
    if (opened.size > OPENED) opened.delete(opened.keys().next().value);
    return fragment;
  };
  const byId = async id => {
    const there = $(id);
    if (there) return there;
    const number = Number(id.match(/\d+/)), pack = packs.filter(pack => pack.dataset.holds <= number).at(-1);
    return pack ? (await open(pack)).getElementById(id) : null;
  };

  // What the page says of an article: its line in the cluster.
  const idOf = line => line.querySelector("bdi").cloneNode(true);
  const textOf = async line => (line.dataset.text ? await byId(line.dataset.text) : line.querySelector(".text"))?.textContent ?? "";
  const marksOf = async (line, kind, left, right) => {
    const at = line.dataset[kind] ?? (line.dataset.text && (await byId(line.dataset.text)).closest("li").dataset[kind]);
    if (at) return marksIn(at);
    return kind === "passages" && left === right ? [[0, left.length, 0, right.length, 0]] : [];
  };
  // Each place counts from the end of the last one.
  const marksIn = text => {
    let left = 0, right = 0;
    return text.split(",").map(mark => {
      const [before, length, gap, size, kind = 0] = mark.split(" ").map(Number);
      const from = left + before, begin = right + gap;
      return [from, (left = from + length), begin, (right = begin + size), kind];
    });
  };

  const signals = [...$("signals").children];
  const bar = (from, size) => {
    const fill = make("i");
    fill.style.setProperty("--from", from * 100 + "%");
    fill.style.setProperty("--size", size * 100 + "%");
    const bar = make("span", { className: "share" }, fill);
    bar.setAttribute("aria-hidden", "true");
    return bar;
  };
  const signal = (value, about) => {
    const [name, meaning] = about.children;
    const entry = make("div", {}, make("dt", {}, name.textContent));
    const small = make("small", {}, meaning.textContent);
    const share = value / 100;
    if (about.dataset.shape === "count") entry.append(make("dd", {}, make("b", {}, value.toLocaleString()), small));
    else if (about.dataset.shape === "signed") {
      const sign = value < 0 ? "−" : "+";
      entry.append(make("dd", {}, make("b", {}, sign + Math.abs(share).toFixed(2)), bar((1 + Math.min(share, 0)) / 2, Math.abs(share) / 2), small));
    } else entry.append(make("dd", {}, make("b", {}, value + "%"), bar(0, share), small));
    return entry;
  };

  // What is open: the cluster's row and lines, the line beside the representative, what is marked and the current mark.
  let row = null, lines = [], line = 0, names = [], roles = [], texts = ["", ""], marks = [], current = -1;
  let changes = [], passages = [];
  const [REWORDED, CHANGED, MOVED] = [1, 2, 3];

  const looks = ([, , , , kind], number, side) => {
    if (kind === CHANGED) return [side ? "ins" : "del", ""];
    if (kind === MOVED) return ["mark", "moved"];
    return ["mark", "hue-" + (number % HUES) + (kind === REWORDED ? " retold" : "")];
  };
  const paint = (pane, text, side) => {
    const [from, to] = side ? [2, 3] : [0, 1];
    const order = marks.map((_, number) => number).sort((a, b) => marks[a][from] - marks[b][from] || marks[a][to] - marks[b][to]);
    const parts = document.createDocumentFragment();
    let end = 0;
    for (const number of order) {
      const place = marks[number];
      const [name, look] = looks(place, number, side);
      const mark = make(name, { className: look }, text.slice(place[from], place[to]));
      if (place[from] === place[to]) mark.className = "nothing";
      mark.dataset.number = number + 1;
      parts.append(text.slice(end, place[from]), mark);
      end = place[to];
    }
    parts.append(text.slice(end));
    pane.replaceChildren(parts);
    pane.scrollTop = 0;
  };
  const drawLinks = () => {
    const polygons = marks.map((place, number) => {
      const polygon = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
      const at = (place, text) => (place / Math.max(text.length, 1)) * 1000;
      const [leftFrom, leftTo] = [at(place[0], texts[0]), at(place[1], texts[0])];
      const [rightFrom, rightTo] = [at(place[2], texts[1]), at(place[3], texts[1])];
      polygon.setAttribute("points", `0,${leftFrom} 100,${rightFrom} 100,${rightTo} 0,${leftTo}`);
      const kind = place[4] === CHANGED ? (place[0] === place[1] ? "added" : place[2] === place[3] ? "gone" : "changed") : looks(place, number, 0)[1];
      polygon.setAttribute("class", kind);
      polygon.dataset.number = number + 1;
      return polygon;
    });
    $("links").replaceChildren(...polygons);
  };

  const quoted = (from, to, side) => {
    const words = texts[side].slice(from, Math.min(to, from + 300)).replace(/\s+/g, " ");
    return words.length > 60 || to - from > 300 ? `“${words.slice(0, 58)}…”` : `“${words}”`;
  };
  const tellMark = () => {
    const all = marks.length;
    const isOfChanges = marks === changes;
    able("previous", all > 0);
    able("next", all > 0);
    if (current < 0) {
      const what = isOfChanges ? "change" : "shared passage";
      $("told").textContent = all === 0 ? (isOfChanges ? "No word differs" : "No shared passage") : `${all.toLocaleString()} ${what}${all === 1 ? "" : "s"}`;
      return;
    }
    const [from, to, start, end, kind] = marks[current];
    const nth = `${isOfChanges ? "Change" : "Passage"} ${current + 1} of ${all}`;
    const [ours, theirs] = [quoted(from, to, 0), quoted(start, end, 1)];
    $("told").textContent =
      kind === MOVED ? `${nth}, moved: ${ours}`
      : kind === CHANGED ? (from === to ? `${nth}, only in the ${names[1]}: ${theirs}` : start === end ? `${nth}, only in the ${names[0]}: ${ours}` : `${nth}: ${ours}, in the ${names[1]} ${theirs}`)
      : `${nth}, ${kind === REWORDED ? "in other words" : "the same words"}: ${ours}`;
  };
  const goToMark = number => {
    if (marks.length === 0) return;
    current = (number + marks.length) % marks.length;
    for (const old of viewer.querySelectorAll(".current")) old.classList.remove("current");
    for (const found of viewer.querySelectorAll(`[data-number="${current + 1}"]`)) {
      found.classList.add("current");
      const pane = found.closest(".text");
      if (pane) pane.scrollTop += found.getBoundingClientRect().top - pane.getBoundingClientRect().top - pane.clientHeight / 4;
    }
    tellMark();
  };
  const mark = () => {
    marks = $("mode").value === "changes" && !$("marking").hidden ? changes : passages;
    current = -1;
    paint($("left"), texts[0], 0);
    paint($("right"), texts[1], 1);
    drawLinks();
    tellMark();
  };

  const tellCover = () => {
    const cover = (side, from, to) => percent(passages.reduce((sum, place) => sum + place[to] - place[from], 0) / Math.max(texts[side].length, 1));
    return passages.length ? ` Shared passages cover ${cover(0, 0, 1)} of the ${roles[0]} and ${cover(1, 2, 3)} of the ${roles[1]}.` : "";
  };
  // The articles to choose from: of a large cluster, those around the one that is open. They are made anew only where others
  // are listed, so that a button keeps the focus.
  const SHEET = 500;
  let sheet = null;
  const listMembers = () => {
    const first = line - ((line - 1) % SHEET), next = Math.min(first + SHEET, lines.length);
    const held = members.contains(document.activeElement);
    if (sheet?.lines !== lines || sheet.first !== first) {
      sheet = { lines, first };
      const to = (at, ...parts) => {
        const button = make("button", { type: "button" }, ...parts);
        button.dataset.at = at;
        return make("li", {}, button);
      };
      const entries = lines.slice(first, next).map((member, i) => {
        const { relation, similarity } = member.dataset, date = member.querySelector("time");
        const label = member.querySelector("summary b").firstChild.cloneNode(true);
        return to(first + i, make("span", { className: "relation " + relation }, label), bar(0, similarity), idOf(member),
          make("span", { className: "date" }, date?.textContent ?? ""));
      });
      if (first > 1) entries.unshift(to(first - 1, `${(first - 1).toLocaleString()} before these`));
      if (next < lines.length) entries.push(to(next, `${(lines.length - next).toLocaleString()} after these`));
      members.replaceChildren(...entries);
      members.hidden = lines.length === 2;
    }
    let chosen = null;
    for (const button of members.querySelectorAll("button")) {
      const is = Number(button.dataset.at) === line;
      if (is) (chosen = button).setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    chosen?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (held) chosen?.focus({ preventScroll: true });
  };
  const tellPair = () => {
    const member = lines[line];
    const all = rows.length === 1 ? "" : `Cluster ${Number(hashOf(row).slice(2)).toLocaleString()} of ${rows.length.toLocaleString()}: `;
    $("announced").textContent = `${all}${$("heading").textContent}. Beside it ${idOf(member).textContent}, ${member.querySelector("summary b").textContent}.`;
  };
  const openPair = async (at, turn) => {
    const member = lines[at];
    // The representative, or the member that it was judged with.
    const beside = lines[member.dataset.beside ?? 0];
    const pair = [await textOf(beside), await textOf(member)];
    const found = [await marksOf(member, "changes", ...pair), await marksOf(member, "passages", ...pair)];
    if (turn !== turns) return;
    line = at;
    roles = beside === lines[0] ? names : ["other copy", "text"];
    texts = pair;
    [changes, passages] = found;
    listMembers();
    for (const [side, role, of] of [["left", roles[0], beside], ["right", roles[1], member]]) {
      const id = idOf(of), about = of.querySelector(".about");
      $(side + "-id").replaceChildren(make("span", {}, role + ":"), " ", id);
      $(side + "-id").title = id.textContent;
      $(side + "-about").replaceChildren(...about.cloneNode(true).childNodes);
    }
    const { relation } = member.dataset;
    $("marking").hidden = relation !== "near" && relation !== "exact";
    $("why").replaceChildren(make("b", { className: relation }, member.querySelector("summary b").textContent), " ",
      member.querySelector(".why").textContent, tellCover());
    const figures = member.dataset.figures?.split(" ") ?? [];
    // A dash stands where a pair has no such figure.
    $("evidence").replaceChildren(...figures.flatMap((figure, at) => figure === "-" ? [] : [signal(Number(figure), signals[at])]));
    $("figures").hidden = figures.length === 0;
    mark();
    tellPair();
  };

  const view = name => { document.body.dataset.view = name; };
  // Where the page shows one thing at a time, what had the focus may be gone.
  const keepFocus = (lost, to) => { if (lost && !lost.checkVisibility()) to.focus({ preventScroll: true }); };
  const within = at => Math.min(Math.max(at, 1), lines.length - 1);
  const close = isOverview => {
    const held = document.activeElement, last = row;
    if (row) link(row).removeAttribute("aria-current");
    row = null;
    viewer.hidden = true;
    $("start").hidden = false;
    view(isOverview || rows.length === 0 ? "overview" : "list");
    keepFocus(held, isOverview ? $("main") : last ? link(last) : document.body);
  };
  const openCluster = async (next, section, at, turn) => {
    const held = document.activeElement;
    const inList = list.contains(held);
    lines = [...section.querySelectorAll("li")];
    names = "pair" in section.dataset ? ["first text", "second text"] : ["representative", "other text"];
    if (row) link(row).removeAttribute("aria-current");
    row = next;
    link(row).setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
    if (inList && held !== link(row)) link(row).focus({ preventScroll: true });
    $("heading").replaceChildren(...section.querySelector("h2").cloneNode(true).childNodes);
    const all = shown(), nth = all.indexOf(row);
    $("position").textContent = nth < 0 ? "" : `${(nth + 1).toLocaleString()} of ${all.length.toLocaleString()}`;
    for (const id of ["position", "previous-cluster", "next-cluster"]) $(id).hidden = rows.length === 1;
    able("previous-cluster", all[0] !== row);
    able("next-cluster", all.at(-1) !== row);
    $("start").hidden = true;
    viewer.hidden = false;
    view("cluster");
    keepFocus(document.activeElement === document.body ? held : document.activeElement, $("heading"));
    $("top").scrollTop = 0;
    await openPair(within(at), turn);
  };

  // The address names what is open: #c12 a cluster, #c12-3 its third article beside the representative.
  let turns = 0;
  const route = async () => {
    const turn = ++turns;
    const [, id, at] = location.hash.match(/^#(c\d+)(?:-(\d+))?$/) ?? [];
    const next = id && rows[id.slice(1) - 1];
    const wanted = Number(at ?? 1);
    if (next) {
      try {
        if (next === row) return await openPair(within(wanted), turn);
        const section = await byId(id);
        if (turn === turns) await openCluster(next, section, wanted, turn);
      } catch (error) {
        $("announced").textContent = $("count").textContent = `This browser cannot open the texts (${error.message}): use a newer one.`;
      }
    } else if (rows.length === 1 && !location.hash) go(hashOf(rows[0]), "replaceState");
    else close(location.hash === "#overview");
  };
  // Not by the location: a browser that goes to a fragment takes the focus away.
  const go = (hash, how = "pushState") => {
    if (hash !== location.hash) history[how](null, "", hash);
    route();
  };
  const step = by => {
    const all = shown(), at = all.indexOf(row);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    if (next) go(hashOf(next), "replaceState");
  };
  const stepMember = by => {
    const at = line + by;
    if (row && at > 0 && at < lines.length) go(hashOf(row) + "-" + at, "replaceState");
  };

  // What is searched is the HTML of the clusters, as it is: a hit counts in an id or a text of a member.
  const SECTION = '<section class="cluster" id="c', NEAR_MISS = '<li data-relation="none"';
  const sectionsOf = html => {
    const sections = [];
    let miss = html.indexOf(NEAR_MISS);
    for (let start = html.indexOf(SECTION); start >= 0;) {
      const next = html.indexOf(SECTION, start + 1), end = next < 0 ? html.length : next;
      while (miss >= 0 && miss < start) miss = html.indexOf(NEAR_MISS, start);
      sections.push({ row: parseInt(html.slice(start + SECTION.length, start + SECTION.length + 9)) - 1, end: miss >= 0 && miss < end ? miss : end, next: end });
      start = next;
    }
    return { html, sections };
  };
  const collect = async () => {
    const plain = packs.length ? [] : [$("clusters").innerHTML.replaceAll("&nbsp;", "\u00a0")];
    for (const pack of packs) plain.push(await htmlOf(pack));
    return plain.map(sectionsOf);
  };
  let collected = null, isCollected = false;
  const searched = () => (collected ??= collect().then(all => { isCollected = true; return all; }));
  const escaped = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/\s+/g, "\\s+");
  const isOfMember = (html, at) => {
    const tag = html.lastIndexOf("<", at);
    const isText = html.startsWith("<bdi>", tag) || html.startsWith('<div class="text"', tag);
    // Not in the tag itself, and not in an entity.
    return isText && html.lastIndexOf(">", at) > tag && !/&[a-z]{0,4}$/.test(html.slice(Math.max(at - 5, 0), at));
  };
  const rowsWith = (wanted, all) => {
    const pattern = new RegExp([...new Set([wanted, wanted.normalize(), wanted.normalize("NFD")])].map(escaped).join("|"), "giu");
    const found = new Set();
    for (const { html, sections } of all) {
      let at = 0;
      pattern.lastIndex = 0;
      for (let hit = pattern.exec(html); hit; hit = pattern.exec(html)) {
        while (sections[at].next <= hit.index) at += 1;
        if (hit.index >= sections[at].end) pattern.lastIndex = sections[at].next;
        else if (isOfMember(html, hit.index)) {
          found.add(sections[at].row);
          pattern.lastIndex = sections[at].next;
        } else pattern.lastIndex = hit.index + 1;
      }
    }
    return found;
  };

  let asked = 0;
  const apply = async () => {
    const turn = ++asked;
    const wanted = $("search").value.trim();
    const relation = $("relation").value, most = Number($("weakest").value);
    const count = $("count");
    if (wanted && !isCollected) count.textContent = "Searching …";
    try {
      const found = wanted && rowsWith(wanted, await searched());
      if (turn !== asked) return;
      rows.forEach((row, at) => {
        const { relations, weakest } = row.dataset;
        const hidden = !(relations.includes(relation) && Number(weakest) <= most && (!wanted || found.has(at)));
        if (row.hidden !== hidden) row.hidden = hidden;
      });
      const left = shown().length;
      count.textContent = left === rows.length ? "" : `${left.toLocaleString()} of ${rows.length.toLocaleString()} clusters`;
      list.scrollTop = 0;
    } catch (error) {
      count.textContent = `This browser cannot search the texts (${error.message}): use a newer one.`;
    }
  };
  const sort = () => {
    const by = $("order").value;
    const sorted = {
      size: (a, b) => b.dataset.size - a.dataset.size,
      weakest: (a, b) => a.dataset.weakest - b.dataset.weakest,
      date: (a, b) => (b.dataset.date ?? "").localeCompare(a.dataset.date ?? ""),
    };
    list.append(...(by ? [...rows].sort(sorted[by]) : rows));
    list.scrollTop = 0;
  };

  let waiting = 0;
  $("search").oninput = () => { clearTimeout(waiting); waiting = setTimeout(apply, 50); };
  $("relation").onchange = $("weakest").onchange = apply;
  $("order").onchange = sort;
  $("filter").onsubmit = event => { event.preventDefault(); clearTimeout(waiting); apply(); };
  const onClick = (id, act) => { $(id).onclick = () => { if (isAble(id)) act(); }; };
  onClick("previous-cluster", () => step(-1));
  onClick("next-cluster", () => step(1));
  onClick("previous", () => goToMark(current < 0 ? -1 : current - 1));
  onClick("next", () => goToMark(current + 1));
  $("mode").onchange = mark;
  for (const back of document.querySelectorAll(".to-list")) back.onclick = () => go("#list");
  members.onclick = event => {
    const at = event.target.closest("button")?.dataset.at;
    if (at) go(hashOf(row) + "-" + at);
  };
  document.querySelector("nav").onclick = event => {
    const to = event.target.closest("a");
    if (!to || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to.hash);
  };
  $("panes").onclick = event => {
    const number = event.target.dataset.number;
    if (number) goToMark(number - 1);
  };
  const KEYS = {
    j: () => step(1), k: () => step(-1),
    l: () => stepMember(1), h: () => stepMember(-1),
    n: $("next").onclick, p: $("previous").onclick,
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
  document.addEventListener("DOMContentLoaded", async () => {
    packs = [...document.querySelectorAll("script.pack")];
    const packed = packs.shift();
    try {
      if (packed) list.innerHTML = await unpack(packed);
    } catch (error) {
      $("count").textContent = `This browser cannot open the list (${error.message}): use a newer one.`;
    }
    rows = [...list.children];
    $("filter").hidden = rows.length < 2;
    if (!rows.some(row => row.dataset.date)) $("order").querySelector("[value=date]").remove();
    apply();
    route();
    // Before anybody searches.
    if (packs.length) searched().catch(() => {});
  });
})();
