/**
 * Where a page replaced built-ins: brings the genuine ones from a realm that no script of the page has touched, a frame that is there for a moment,
 * and leaves them for the widget's code, which `built-ins.mjs` rewrote to take them from there. The page's own stay as they are.
 *
 * What this runs on may itself be replaced: it keeps to syntax and to what the frame gave it.
 */
const RECORD = Symbol.for('qsec2 built-ins');

globalThis[RECORD] ??= (() => {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  document.documentElement.appendChild(frame);
  const clean = frame.contentWindow;
  const { Object: objects, Reflect: reflect, Symbol: symbols, Array: arrays } = clean;
  const { apply, ownKeys, getOwnPropertyDescriptor, defineProperty } = reflect;
  const text = clean.Function.prototype.toString;
  const call = (method, on, ...given) => apply(method, on, given);
  // Its own prototypes are the frame's from here on: whatever is made below by its functions works.
  const list = (...items) => apply(arrays.of, arrays, items);
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
  const bare = (fields) => objects.assign(objects.create(null), fields);

  /** As the frame's browser writes a function of its own. */
  const isGenuine = (given, ours) => typeof given === 'function' && call(text, given) === call(text, ours);

  const names = ownKeys(clean).filter(
    (name) => typeof name === 'string' && isObject(getOwnPropertyDescriptor(clean, name)?.value),
  );
  const pairs = names.map((name) => bare({ name, ours: clean[name], theirs: globalThis[name] }));

  // Syntax and the document lead to the page's own, whatever lies under their names now.
  const above = (object, steps) => (steps > 0 ? above(objects.getPrototypeOf(object), steps - 1) : object);
  const div = call(clean.Document.prototype.createElement, document, 'div');
  const found = bare({
    Array: above([], 1),
    Object: above({}, 1),
    RegExp: above(/a/, 1),
    Function: above(() => 0, 1),
    Promise: above((async () => 0)(), 1),
    HTMLElement: above(div, 2),
    Element: above(div, 3),
    Node: above(div, 4),
    EventTarget: above(div, 5),
    Document: above(document, 2),
  });
  const prototypeOf = ({ name, ours, theirs }) => found[name] ?? (isGenuine(theirs, ours) ? theirs.prototype : undefined);

  /** Prototypes of the page beside those of the frame. */
  const prototypes = pairs
    .map((pair) => list(prototypeOf(pair), pair.ours.prototype))
    .concat(
      list(
        list(above(new Uint8Array(), 2), above(new clean.Uint8Array(), 2)),
        list(above([][symbols.iterator]?.() ?? [], 1), above(list()[symbols.iterator](), 1)),
      ),
    )
    .filter(([theirs, ours]) => isObject(theirs) && isObject(ours));

  const methodOf = (holder, key) => getOwnPropertyDescriptor(holder, key)?.value;
  const keys = bare();
  for (let i = 0; i < prototypes.length; i += 1) {
    const [theirs, ours] = prototypes[i];
    const all = ownKeys(ours).concat(ownKeys(theirs));
    for (let j = 0; j < all.length; j += 1) {
      const key = all[j];
      if (typeof key !== 'string' || key === 'constructor' || key in keys) continue;
      const method = methodOf(ours, key);
      const given = methodOf(theirs, key);
      // A method that the language does not have here stands in the way of one that it has further up.
      const replaced =
        typeof method === 'function'
          ? !isGenuine(given, method)
          : typeof given === 'function' && isElement(ours) && !isNative(given);
      if (replaced) keys[key] = symbols(key);
    }
  }

  function isElement(prototype) {
    return call(objects.prototype.isPrototypeOf, clean.Node.prototype, prototype);
  }
  function isNative(given) {
    return call(clean.RegExp.prototype.test, new clean.RegExp('\\[native code\\]\\s*\\}$'), call(text, given));
  }

  /** `toJSON` on every list or text is none of theirs: what they are is told as if it were not there. */
  const toldBy = prototypes
    .map(([theirs]) => methodOf(theirs, 'toJSON'))
    .filter((method) => typeof method === 'function' && !isNative(method));
  if (toldBy.length > 0) keys.toJSON = symbols('toJSON');

  const lay = (holder, key, value) => {
    try {
      defineProperty(holder, keys[key], bare({ value, configurable: true, writable: true }));
    } catch {
      // A page that froze its prototypes has to be taken as it is.
      return false;
    }
    return true;
  };
  for (const key of ownKeys(keys)) {
    const through = function (...given) {
      return key === 'toJSON' && toldBy.includes(this[key]) ? this : apply(this[key], this, given);
    };
    if (!lay(found.Object, key, through)) {
      delete keys[key];
      continue;
    }
    lay(objects.prototype, key, through);
    for (let i = 0; i < prototypes.length; i += 1) {
      const [theirs, ours] = prototypes[i];
      const method = methodOf(ours, key);
      if (typeof method !== 'function') continue;
      const given = methodOf(theirs, key);
      lay(theirs, key, isGenuine(given, method) ? given : method);
      lay(ours, key, method);
    }
  }

  /** Maps and sets fill themselves by their own methods: with one of those replaced, the frame's are taken. */
  const isWhole = (theirs, ours) => {
    const all = ownKeys(ours);
    for (let i = 0; i < all.length; i += 1) {
      const method = methodOf(ours, all[i]);
      if (typeof method === 'function' && all[i] !== 'constructor' && !isGenuine(methodOf(theirs, all[i]), method)) return false;
    }
    return true;
  };
  const makers = bare();
  const calls = bare();
  for (let i = 0; i < pairs.length; i += 1) {
    const { name, ours, theirs } = pairs[i];
    if (typeof ours === 'function') {
      const given = found[name]?.constructor ?? theirs;
      const usable =
        isGenuine(given, ours) && (name in found || !isObject(ours.prototype) || isWhole(given.prototype, ours.prototype));
      makers[name] = usable ? given : ours;
    }
    const statics = bare();
    // Each kind of typed array has its functions from what they are all made of.
    let [holder, beside] = [ours, isObject(theirs) ? theirs : {}];
    while (holder && holder !== clean.Function.prototype && holder !== objects.prototype) {
      for (const key of ownKeys(holder)) {
        const method = methodOf(holder, key);
        if (typeof method !== 'function' || key === 'prototype' || key in statics) continue;
        const given = isObject(beside) ? methodOf(beside, key) : undefined;
        const genuine = isGenuine(given, method) ? given : method;
        statics[key] = (...passed) => apply(genuine, makers[name] ?? ours, passed);
      }
      holder = above(holder, 1);
      beside = isObject(beside) ? above(beside, 1) : undefined;
    }
    calls[name] = statics;
  }

  // `get` or `value` on every object would make each descriptor mean something else.
  const plain = (descriptor) => (isObject(descriptor) ? bare(descriptor) : descriptor);
  const each = (descriptors) => {
    const all = bare();
    for (const key of ownKeys(descriptors)) all[key] = plain(descriptors[key]);
    return all;
  };
  const { defineProperty: define, defineProperties: defineAll, create } = calls.Object;
  calls.Object.defineProperty = (object, key, descriptor) => define(object, key, plain(descriptor));
  calls.Object.defineProperties = (object, descriptors) => defineAll(object, each(descriptors));
  calls.Object.create = (prototype, descriptors) => (descriptors ? create(prototype, each(descriptors)) : create(prototype));

  // The replacer sees what was there before a `toJSON` that is none of theirs.
  const { stringify } = calls.JSON;
  calls.JSON.stringify = (value, replacer, space) => {
    // A list of names says which fields; nothing here is written by one.
    if (isObject(replacer) && typeof replacer !== 'function') return stringify(value, replacer, space);
    const look = function (key, told) {
      const raw = this[key];
      const meant = raw !== null && raw !== undefined && toldBy.includes(raw.toJSON) ? raw : told;
      return replacer ? apply(replacer, this, [key, meant]) : meant;
    };
    return stringify(value, look, space);
  };

  const own = (object) => (object === null || object === undefined ? object : bare(object));
  frame.parentNode.removeChild(frame);
  return bare({ keys, calls, makers, own });
})();
