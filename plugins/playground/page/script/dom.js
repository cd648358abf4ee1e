"use strict";

// Elements are made here and nowhere else, and text only ever becomes text: nothing that somebody typed is read as HTML.

const $ = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
}

function show(section, ...children) {
  section.replaceChildren(...children.flat());
  section.hidden = false;
}

function code(text) {
  return make("code", {}, text);
}

// Text in which backticks mark what stands in code.
function rich(text) {
  return text.split("`").map((part, number) => (number % 2 === 1 ? code(part) : part));
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = text === "";
}

// "Name: value" lines, as a browser's network view shows them.
function fields(text) {
  const found = [];
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":", line.startsWith(":") ? 1 : 0);
    if (colon > 0) found.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return found;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
