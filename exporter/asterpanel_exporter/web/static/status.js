"use strict";
/* The status page: reads /state/stream and shows it. No library, no build step.
 *
 * Every value comes from a phone network or a PBX and is hostile until shown: values become text nodes or
 * data attributes, never markup. Objects that mirror the state have no prototype, so that a queue named
 * "__proto__" is a queue.
 *
 * Times count on the switchboard's clock: what it showed when a message came, plus the time that has passed
 * here since. The browser's own clock may be wrong by hours and is never asked.
 */

(() => {
  const SILENCE_MS = 15000; // three heartbeats
  const FIRST_RETRY_MS = 500;
  const LONGEST_RETRY_MS = 5000;
  const READY_EVERY_MS = 5000;
  const STALE_S = 20; // pings come every few seconds, and a dead connection is found within 15 s
  const TOKEN_KEY = "asterpanel-state-token";
  const THEME_KEY = "asterpanel-theme";

  const STATES = {
    on_call: "on a call", on_hold: "on hold", ringing: "ringing", wrapup: "wrap-up",
    paused: "paused", idle: "idle", unavailable: "unavailable",
  };
  const STATE_ORDER = Object.keys(STATES);
  const SESSIONS = {
    connecting: ["○ Connecting", "warn"], connected: ["● Connected", "good"],
    unknown: ["○ Not known now", "warn"], disconnected: ["✕ Not connected", "bad"], refused: ["✕ Login refused", "bad"],
  };

  /* --- theme: set before the first paint ------------------------------------------------------------ */

  const stored = (storage, key) => { try { return storage.getItem(key); } catch { return null; } };
  const store = (storage, key, value) => {
    try { value === null ? storage.removeItem(key) : storage.setItem(key, value); } catch { /* private mode */ }
  };
  const THEMES = ["auto", "light", "dark"];
  let theme = THEMES.includes(stored(localStorage, THEME_KEY)) ? stored(localStorage, THEME_KEY) : "auto";
  const applyTheme = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  applyTheme();

  /* --- small things ----------------------------------------------------------------------------------- */

  const $ = (id) => document.getElementById(id);
  const seconds = () => performance.now() / 1000;
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

  const el = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const setData = (node, key, value) => { if (node.dataset[key] !== value) node.dataset[key] = value; };
  const show = (node, visible) => { if (node.hidden === visible) node.hidden = !visible; };
  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

  const duration = (total) => {
    const s = Math.max(0, Math.floor(total));
    const pad = (value) => String(value).padStart(2, "0");
    const rest = `${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
    if (s < 3600) return `${Math.floor(s / 60)}:${pad(s % 60)}`;
    if (s < 86400) return `${Math.floor(s / 3600)}:${rest}`;
    return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24}:${rest}`;
  };
  const ago = (s) => (s < 60 ? `${Math.floor(Math.max(0, s))} s` : s < 3600 ? `${Math.floor(s / 60)} min` : duration(s));

  /** A header's value holds bytes, as Latin-1: those of the text in UTF-8. */
  const headerText = (text) => String.fromCharCode(...new TextEncoder().encode(text));

  /** Make the children of `parent` those of `items`, keeping nodes that stand for the same thing. */
  const reconcile = (parent, items, keyOf, create, update) => {
    parent.nodes ??= new Map();
    const kept = new Map();
    let at = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      if (kept.has(key)) continue;
      const node = parent.nodes.get(key) ?? create(item);
      kept.set(key, node);
      update(node, item);
      if (node === at) at = at.nextElementSibling;
      else parent.insertBefore(node, at);
    }
    for (const [key, node] of parent.nodes) if (!kept.has(key)) node.remove();
    parent.nodes = kept;
  };

  /** RFC 7396; the arguments stay as they are. */
  const merge = (target, patch) => {
    const result = Object.assign(Object.create(null), target);
    for (const key of Object.keys(patch)) {
      const value = patch[key];
      if (value === null) delete result[key];
      else if (typeof value === "object" && !Array.isArray(value)) {
        const old = result[key];
        result[key] = merge(old !== null && typeof old === "object" && !Array.isArray(old) ? old : {}, value);
      } else result[key] = value;
    }
    return result;
  };
  const bare = (object) => merge(Object.create(null), object);

  /* --- what is known ---------------------------------------------------------------------------------- */

  let documents = Object.create(null); // switchboard → document
  let sessions = Object.create(null); // switchboard → its part of /readyz
  const offsets = Object.create(null); // switchboard → its clock minus ours (performance.now)
  let live = false; // the stream is open and speaks
  let unreachable = false; // the exporter does not answer
  const dirty = new Set(); // switchboards to draw again

  const takeClocks = (now) => { for (const name of Object.keys(now)) offsets[name] = now[name] - seconds(); };
  const NOTHING = { queues: {}, agents: {} };
  const isCurrent = (name) => live && Boolean(documents[name]?.up) && name in offsets && age(name) < STALE_S;
  const age = (name) => offsets[name] + seconds() - documents[name].as_of;
  /** The time up to which timers count: the present, or that of the last thing known. */
  const boardNow = (name) => (isCurrent(name) ? offsets[name] + seconds() : documents[name].as_of);

  const onEvent = {
    snapshot(data) {
      documents = bare(data.switchboards);
      takeClocks(data.now);
      setLive(true);
      drawAll();
      void readSessions();
    },
    patch(data) {
      const before = Object.keys(documents).map((name) => documents[name].up).join();
      documents = merge(documents, data.switchboards);
      Object.keys(data.switchboards).forEach((name) => dirty.add(name));
      if (before !== Object.keys(documents).map((name) => documents[name].up).join()) void readSessions();
    },
    heartbeat(data) {
      takeClocks(data.now);
      for (const name of Object.keys(data.as_of)) {
        if (documents[name]) documents[name].as_of = data.as_of[name];
      }
    },
  };

  /* --- the stream ------------------------------------------------------------------------------------- */

  let abort = null;
  let retryMs = FIRST_RETRY_MS;
  let retryTimer = 0;

  const setLive = (value) => {
    live = value;
    unreachable = false;
    if (value) retryMs = FIRST_RETRY_MS;
    show($("banner"), false);
    show($("notice"), false);
    show($("token-form"), false);
    setText($("link"), value ? "Live" : "Connecting…");
    setData($("link"), "link", value ? "live" : "connecting");
  };

  const lost = () => {
    live = false;
    unreachable = true;
    drawAll();
    setText($("link"), "Connection lost");
    setData($("link"), "link", "lost");
    const known = Object.keys(documents).length > 0;
    setText($("banner"), "The connection to the exporter is lost. " +
      (known ? "What you see is old, timers stand still. " : "") + "Trying to connect again…");
    show($("banner"), true);
    clearTimeout(retryTimer);
    retryTimer = setTimeout(connect, retryMs * (0.7 + Math.random() * 0.3));
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  };

  const closed = async (response, token) => {
    const error = (await response.json().catch(() => null))?.error;
    live = false;
    documents = Object.create(null);
    unreachable = false;
    drawAll();
    show($("banner"), false);
    setText($("link"), "No live state");
    setData($("link"), "link", "closed");
    if (response.status === 401) {
      store(sessionStorage, TOKEN_KEY, null);
      if (token) setText($("token-text"), "This token was not accepted. Enter the exporter’s state token.");
      show($("token-form"), true);
      $("token").focus();
    } else {
      const words = error?.message ?? `the exporter answered ${response.status}`;
      setText($("notice"), `${sentence(words)}.`);
      show($("notice"), true);
    }
  };

  const connect = async () => {
    clearTimeout(retryTimer);
    abort?.abort();
    const mine = (abort = new AbortController());
    const token = stored(sessionStorage, TOKEN_KEY);
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => mine.abort(), SILENCE_MS);
    };
    try {
      alive();
      const wanted = new URLSearchParams(location.search).getAll("switchboard");
      const query = wanted.length ? `?${new URLSearchParams(wanted.map((name) => ["switchboard", name]))}` : "";
      const response = await fetch(`/state/stream${query}`, {
        signal: mine.signal, cache: "no-store", headers: token ? { Authorization: `Bearer ${headerText(token)}` } : {},
      });
      if ([401, 403, 404].includes(response.status)) { await closed(response, token); return; }
      if (!response.ok) throw new Error(`status ${response.status}`);
      await readEvents(response.body, alive);
    } catch { /* said by the banner */ } finally { clearTimeout(watchdog); }
    if (abort === mine && $("token-form").hidden && $("notice").hidden) lost();
  };

  const readEvents = async (body, alive) => {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let parts = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      // A snapshot comes in many pieces: look for its end only where it can be new.
      const seam = (parts.at(-1)?.endsWith("\n") && value.startsWith("\n")) || value.includes("\n\n");
      parts.push(value);
      if (!seam) continue;
      const events = parts.join("").split("\n\n");
      parts = [events.pop()];
      events.forEach(takeEvent);
    }
  };

  const takeEvent = (text) => {
    let kind = "message";
    let data = "";
    for (const line of text.split("\n")) {
      if (line.startsWith("event: ")) kind = line.slice(7);
      else if (line.startsWith("data: ")) data += line.slice(6);
    }
    if (Object.hasOwn(onEvent, kind)) {
      onEvent[kind](JSON.parse(data));
      scheduleDraw();
    }
  };

  /** Why a switchboard is not connected is told by /readyz, which needs no token. */
  const readSessions = async () => {
    try {
      const response = await fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(READY_EVERY_MS) });
      const all = bare((await response.json()).switchboards);
      const wanted = new URLSearchParams(location.search).getAll("switchboard");
      sessions = Object.create(null);
      for (const name of Object.keys(all)) if (!wanted.length || wanted.includes(name)) sessions[name] = all[name];
      drawAll();
    } catch { /* the stream tells that the exporter is gone */ }
  };

  /* --- drawing ---------------------------------------------------------------------------------------- */

  const drawAll = () => {
    for (const name of [...Object.keys(documents), ...Object.keys(sessions)]) dirty.add(name);
    scheduleDraw();
  };

  let drawing = false;
  const scheduleDraw = () => {
    if (drawing) return;
    drawing = true;
    // Not requestAnimationFrame: a wallboard's tab in the background must not fall behind.
    setTimeout(() => { drawing = false; draw(); }, 0);
  };

  const draw = () => {
    const names = [...new Set([...Object.keys(sessions), ...Object.keys(documents)])].sort(collator.compare);
    reconcile($("board-list"), names, (name) => name, newBoard, (node, name) => {
      if (dirty.has(name) || !node.drawn) drawBoard(node, name);
      node.drawn = true;
    });
    dirty.clear();
    drawSummary();
    tick();
  };

  const drawSummary = () => {
    const boards = Object.values(documents);
    const waiting = boards.flatMap((board) => Object.values(board.queues)).reduce((sum, queue) => sum + queue.waiting.length, 0);
    const talking = boards.flatMap((board) => Object.values(board.queues)).reduce((sum, queue) => sum + queue.in_progress.length, 0);
    const down = Object.keys(sessions).filter((name) => !(documents[name] ?? sessions[name]).up).length;
    const parts = boards.length ? [`${waiting} waiting`, plural(talking, "call in progress", "calls in progress")] : [];
    if (down) parts.push(`${plural(down, "switchboard", "switchboards")} not connected`);
    setText($("summary"), parts.join(" · "));
    const title = boards.length ? `${live ? "" : "old: "}${waiting} waiting – Asterpanel` : "Asterpanel";
    if (document.title !== title) document.title = title;
  };

  const newBoard = (name) => {
    const node = el("details", "board");
    node.open = true;
    const summary = node.appendChild(el("summary"));
    summary.append(el("h2", "", name));
    node.badge = summary.appendChild(el("span", "badge"));
    node.version = summary.appendChild(el("span", "soft"));
    node.asOf = summary.appendChild(el("span", "soft as-of"));
    node.problem = node.appendChild(el("p", "problem"));
    node.data = node.appendChild(el("div", "data"));
    const queues = node.data.appendChild(el("section"));
    queues.append(el("h3", "", "Queues"));
    node.noQueues = queues.appendChild(el("p", "empty", "No queues on this switchboard."));
    node.queues = queues.appendChild(el("div", "queues"));
    const agents = node.data.appendChild(el("section"));
    agents.append(el("h3", "", "Agents"));
    node.noAgents = agents.appendChild(el("p", "empty", "Nobody is a member of a queue."));
    node.agents = agents.appendChild(newAgentTable(name));
    return node;
  };

  const newAgentTable = (name) => {
    const box = el("div", "agents");
    const table = box.appendChild(el("table"));
    table.append(el("caption", "vh", `Agents of ${name}`));
    const row = table.appendChild(el("thead")).appendChild(el("tr"));
    for (const [title, className] of [["Agent", ""], ["State", ""], ["For", "timer-cell"], ["Pause", ""], ["Queues", ""]]) {
      row.appendChild(el("th", className, title)).scope = "col";
    }
    box.body = table.appendChild(el("tbody"));
    return box;
  };

  const drawBoard = (node, name) => {
    const board = documents[name];
    const session = sessions[name];
    const up = (board ?? session).up;
    let [words, level] = SESSIONS[session?.session] ?? (up ? SESSIONS.connected : SESSIONS.disconnected);
    if (unreachable) [words, level] = SESSIONS.unknown;
    else if (up) [words, level] = SESSIONS.connected;
    else if (session?.session === "connected") [words, level] = ["○ Reading the state", "warn"];
    setText(node.badge, words);
    setData(node.badge, "level", level);
    const version = board?.version || session?.version;
    setText(node.version, version ? `Asterisk ${version}` : "");
    show(node.data, Boolean(board?.as_of || up) && Boolean(board));
    drawState(node, name, board ?? NOTHING); // what may no longer be seen goes from the page
  };

  const drawState = (node, name, board) => {
    const queues = Object.keys(board.queues).sort(collator.compare);
    show(node.noQueues, queues.length === 0);
    reconcile(node.queues, queues, (queue) => queue, newQueue, (card, queue) => drawQueue(card, name, queue, board));
    const agents = Object.keys(board.agents).sort((a, b) => compareAgents(board.agents, a, b));
    show(node.noAgents, agents.length === 0);
    show(node.agents, agents.length > 0);
    reconcile(node.agents.body, agents, (id) => id, newAgent, (row, id) => drawAgent(row, name, id, board.agents[id]));
  };

  const compareAgents = (agents, a, b) =>
    STATE_ORDER.indexOf(agents[a].state) - STATE_ORDER.indexOf(agents[b].state) ||
    collator.compare(agents[a].name, agents[b].name) || collator.compare(a, b);

  /** A running time. `since` null: none. `late`: seconds from which on it is too long; 0: never. */
  const setTimer = (node, name, since, late = 0) => {
    node.timer = { name, since, late };
    node.classList.add("timer");
  };

  /* --- a queue */

  const newQueue = (name) => {
    const card = el("article", "queue");
    const header = card.appendChild(el("header"));
    header.append(el("h4", "", name));
    card.count = header.appendChild(el("span", "count"));
    card.facts = card.appendChild(el("p", "facts"));
    card.waiting = card.appendChild(newCallList("Waiting"));
    card.calls = card.appendChild(newCallList("In progress"));
    card.members = card.appendChild(el("ul", "members"));
    card.members.setAttribute("aria-label", "Members by state");
    return card;
  };

  const newCallList = (title) => {
    const box = el("div", "list");
    const table = box.appendChild(el("table"));
    table.append(el("caption", "", title));
    box.body = table.appendChild(el("tbody"));
    return box;
  };

  const drawQueue = (card, name, queueName, board) => {
    const queue = board.queues[queueName];
    card.queue = { name, waiting: queue.waiting, late: queue.sl_threshold_s };
    card.classList.toggle("waiting", queue.waiting.length > 0);
    const facts = [queue.strategy];
    if (queue.sl_threshold_s > 0) facts.push(`answer within ${queue.sl_threshold_s} s`);
    if (queue.max_len > 0) facts.push(`at most ${queue.max_len} waiting`);
    setText(card.facts, facts.filter(Boolean).join(" · "));
    show(card.waiting, queue.waiting.length > 0);
    show(card.calls, queue.in_progress.length > 0);
    reconcile(card.waiting.body, queue.waiting, (caller) => caller.uniqueid, newCaller,
      (row, caller) => drawCaller(row, name, caller, queue.sl_threshold_s));
    reconcile(card.calls.body, queue.in_progress, (call) => `${call.uniqueid} ${call.agent} ${call.since}`, newCall,
      (row, call) => drawCall(row, name, call, board));
    drawMembers(card.members, queue.members);
  };

  /** A list that scrolls must be reached by the keyboard too. */
  const reachIfScrolling = (list) => {
    if (list.scrollHeight > list.clientHeight + 1) list.tabIndex = 0;
    else list.removeAttribute("tabindex");
  };

  const newCaller = () => {
    const row = el("tr");
    row.position = row.appendChild(el("td", "position"));
    row.number = row.appendChild(el("td", "number"));
    row.name = row.appendChild(el("td")).appendChild(el("span", "clamp"));
    row.wait = row.appendChild(el("td", "time"));
    return row;
  };
  const drawCaller = (row, name, caller, late) => {
    setText(row.position, `${caller.position}.`);
    setText(row.number, caller.caller || "no number");
    row.number.title = caller.caller;
    setText(row.name, caller.caller_name);
    row.name.title = caller.caller_name;
    setTimer(row.wait, name, caller.since, late);
  };

  const newCall = () => {
    const row = el("tr");
    row.agent = row.appendChild(el("td"));
    row.talk = row.appendChild(el("td", "time"));
    return row;
  };
  const drawCall = (row, name, call, board) => {
    setText(row.agent, nameAndId(board.agents[call.agent]?.name, call.agent));
    setTimer(row.talk, name, call.since);
  };
  const nameAndId = (name, id) => (name && name !== id ? `${name} (${id})` : id);

  const drawMembers = (list, members) => {
    const counts = Object.create(null);
    for (const member of Object.values(members)) counts[member.state] = (counts[member.state] ?? 0) + 1;
    const states = STATE_ORDER.filter((state) => counts[state]);
    reconcile(list, states.length ? states : [""], (state) => state, (state) => {
      const item = el("li");
      if (state) item.appendChild(el("span", "state")).dataset.state = state;
      return item;
    }, (item, state) => setText(item.firstChild ?? item, state ? `${counts[state]} ${STATES[state]}` : "no members"));
  };

  /* --- an agent */

  const newAgent = () => {
    const row = el("tr");
    const head = row.appendChild(el("th", "name-cell"));
    head.scope = "row";
    row.name = head.appendChild(el("span", "name"));
    head.append(" ");
    row.id_ = head.appendChild(el("span", "id"));
    row.state = row.appendChild(el("td", "state-cell")).appendChild(el("span", "state"));
    row.since = row.appendChild(el("td", "timer-cell"));
    const pause = row.appendChild(el("td", "reason"));
    row.reason = pause.appendChild(el("span"));
    pause.append(" ");
    row.paused = pause.appendChild(el("span", "timer"));
    row.queues = row.appendChild(el("td", "in"));
    return row;
  };
  const drawAgent = (row, name, id, agent) => {
    setText(row.name, agent.name || id);
    setText(row.id_, agent.name && agent.name !== id ? id : "");
    setText(row.state, STATES[agent.state] ?? agent.state);
    setData(row.state, "state", agent.state);
    setTimer(row.since, name, agent.since);
    const also = agent.paused && agent.state !== "paused" ? "paused" : "";
    setText(row.reason, agent.paused ? [also, agent.pause_reason].filter(Boolean).join(": ") : "");
    setTimer(row.paused, name, agent.paused ? agent.paused_since ?? null : null);
    setText(row.queues, agent.queues.join(", "));
  };

  /* --- every second --- */

  const tick = () => {
    for (const node of document.querySelectorAll(".board")) tickBoard(node);
    for (const cell of document.querySelectorAll(".timer")) tickTimer(cell);
    for (const card of document.querySelectorAll(".queue")) tickQueue(card);
    for (const list of document.querySelectorAll(".list")) reachIfScrolling(list); // last: it wants the layout
  };

  const tickTimer = (cell) => {
    const { name, since, late } = cell.timer;
    if (since === null) { setText(cell, ""); return; }
    const passed = boardNow(name) - since;
    const isLate = late > 0 && passed > late;
    cell.classList.toggle("is-late", isLate);
    setText(cell, (isLate ? "! " : "") + duration(passed));
    if (isLate && !cell.title) cell.title = `longer than ${late} s`;
    else if (!isLate && cell.title) cell.removeAttribute("title");
  };

  const tickQueue = (card) => {
    const { name, waiting, late } = card.queue;
    if (!waiting.length) { setText(card.count, "nobody waiting"); card.classList.remove("late"); return; }
    const longest = boardNow(name) - Math.min(...waiting.map((caller) => caller.since));
    card.classList.toggle("late", late > 0 && longest > late);
    setText(card.count, `${waiting.length} waiting · longest ${duration(longest)}`);
  };

  const tickBoard = (node) => {
    const name = node.querySelector("h2").textContent;
    const board = documents[name];
    const session = sessions[name];
    const known = Boolean(board?.as_of);
    const stale = Boolean(board) && !isCurrent(name);
    node.classList.toggle("stale", stale && known);
    if (known) {
      const old = name in offsets ? age(name) : 0;
      setText(node.asOf, `data as of ${clockTime.format(board.as_of * 1000)}${old >= 1 ? `, ${ago(old)} ago` : ""}` +
        (stale ? " – old, timers stand still" : ""));
    } else setText(node.asOf, "");
    const up = (board ?? session).up;
    let words = "";
    if (!up && !unreachable) words = session?.problem ? `${sentence(session.problem)}. Trying again by itself.` : "";
    else if (live && stale) words = "The switchboard is connected, but has told nothing for a while.";
    if (!up && board && !known) words += `${words ? " " : ""}Nothing is known of it yet.`;
    setText(node.problem, words);
    show(node.problem, words !== "");
  };

  /* --- start ------------------------------------------------------------------------------------------- */

  document.addEventListener("DOMContentLoaded", () => {
    const list = $("boards").appendChild(el("div"));
    list.id = "board-list";
    const showTheme = () => setText($("theme"), `Theme: ${theme}`);
    showTheme();
    $("theme").addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      store(localStorage, THEME_KEY, theme === "auto" ? null : theme);
      applyTheme();
      showTheme();
    });
    $("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const token = $("token").value.trim();
      $("token").value = "";
      if (!token) return;
      store(sessionStorage, TOKEN_KEY, token);
      show($("token-form"), false);
      void connect();
    });
    addEventListener("online", () => { if (!live && $("token-form").hidden) void connect(); });
    setInterval(tick, 1000);
    setInterval(() => { if (!live || Object.values(sessions).some((s) => !s.up)) void readSessions(); }, READY_EVERY_MS);
    void readSessions();
    void connect();
  });
})();
