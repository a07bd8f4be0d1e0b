import { runInNewContext } from 'node:vm';
import { parseAst } from 'rollup/parseAst';

/**
 * Pages replace built-ins: Prototype and MooTools have an `Array.from`, a `bind` and a `toJSON` of their own, old polyfills and mock clocks others.
 * What the bundle calls is therefore not looked up by its plain name. This rewrites its code, whoever wrote it:
 *
 * - `list.map(f)` → `list[map](f)`, where `map` is `'map'`, or on a page that replaced any `map` a symbol under which the genuine one lies
 * - `Array.from(x)`, `new Map()`, `x instanceof Map` → the genuine `Array`, `Map`
 * - `for (key in object)` → over its own keys
 *
 * `genuine.js` finds out what was replaced, and brings the genuine ones from an untouched realm. Decision record 0027 says why so.
 */

/** What the language itself defines, by name. */
const REALM = runInNewContext(`(() => {
  const isObject = (value) => value !== null && (typeof value === 'object' || typeof value === 'function');
  const names = Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z]/.test(name) && isObject(globalThis[name]));
  const iterators = [[].values(), new Map().values(), new Set().values(), ''.matchAll(/a/g), (function* () {})(), (async function* () {})()];
  const holders = [...names.map((name) => globalThis[name].prototype), Object.getPrototypeOf(Uint8Array.prototype), ...iterators.map(Object.getPrototypeOf)];
  const isMethod = (holder, key) => typeof Object.getOwnPropertyDescriptor(holder, key).value === 'function';
  const methods = holders.filter(isObject).flatMap((holder) => Object.getOwnPropertyNames(holder).filter((key) => isMethod(holder, key)));
  const statics = Object.fromEntries(names.map((name) => [name, Object.getOwnPropertyNames(globalThis[name]).filter((key) => /^[a-z]/.test(key) && key !== 'prototype' && isMethod(globalThis[name], key))]));
  return { names, methods, statics };
})()`);

/** Nobody replaces its functions but \`random\`, which nothing here uses, and the engine's inner loops call them. */
const LEFT = new Set(['Math', 'Atomics', 'WebAssembly']);
const GLOBALS = new Set(REALM.names.filter((name) => !LEFT.has(name)));

/** What is called of the document tree. */
const TREE =
  'addEventListener removeEventListener dispatchEvent appendChild insertBefore removeChild cloneNode contains getRootNode hasChildNodes append prepend ' +
  'remove replaceWith before after closest matches querySelector querySelectorAll getAttribute setAttribute removeAttribute hasAttribute toggleAttribute ' +
  'setAttributeNS removeAttributeNS getBoundingClientRect attachShadow animate getAnimations focus click createElement createElementNS createTextNode add toggle replace';
const METHODS = new Set([...REALM.methods, ...TREE.split(' ')].filter((name) => name !== 'constructor'));

const RECORD = 'globalThis[Symbol.for("qsec2 built-ins")]';

/** The same code, with nothing looked up by a plain name that a page may have replaced, and the declarations it needs. */
export function withGenuine(code) {
  const edits = [];
  const used = { keys: new Set(), calls: new Set(), makers: new Set(), own: false };
  const key = (name) => {
    used.keys.add(name);
    return `$k_${name}`;
  };
  const byKey = ({ object, property }) => {
    const operator = /(\?\.|\.)\s*$/.exec(code.slice(object.end, property.start));
    const start = property.start - operator[0].length;
    edits.push([start, property.end, `${operator[1] === '?.' ? '?.' : ''}[${key(property.name)}]`]);
  };
  const byName = (kind, { start, end, name }) => {
    used[kind].add(name);
    edits.push([start, end, `$${kind}_${name}`]);
  };
  const isGlobal = (node) => node?.type === 'Identifier' && GLOBALS.has(node.name);
  const isPlain = (node) => node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier';

  walk(parseAst(code, { allowReturnOutsideFunction: true }), (node) => {
    if (node.type === 'CallExpression' && isPlain(node.callee)) {
      if (isGlobal(node.callee.object)) byName('calls', node.callee.object);
      else if (METHODS.has(node.callee.property.name) && node.callee.object.type !== 'Super') byKey(node.callee);
    } else if (isPlain(node) && isGlobal(node.object) && REALM.statics[node.object.name].includes(node.property.name)) {
      byName('calls', node.object);
    } else if (isPlain(node) && isPrototype(node.object) && METHODS.has(node.property.name)) {
      edits.push([node.object.end, node.property.end, `[${key(node.property.name)}]`]);
    } else if (node.type === 'NewExpression' && isGlobal(node.callee)) {
      byName('makers', node.callee);
    } else if (node.type === 'BinaryExpression' && node.operator === 'instanceof' && isGlobal(node.right)) {
      byName('makers', node.right);
    } else if (node.type === 'ForInStatement') {
      used.own = true;
      edits.push([node.right.start, node.right.start, '$own('], [node.right.end, node.right.end, ')']);
    }
    for (const name of declared(node))
      if (GLOBALS.has(name))
        throw new Error(`The code declares a ${name} of its own: calls of it cannot be told from the built-in one.`);
  });

  const unique = new Map(edits.map((edit) => [edit.slice(0, 2).join(), edit]));
  const sorted = [...unique.values()].sort(([a, b], [c, d]) => a - c || b - d);
  let at = 0;
  let done = '';
  for (const [start, end, text] of sorted) {
    done += code.slice(at, start) + text;
    at = end;
  }
  return { declarations: declarations(used), code: done + code.slice(at) };
}

function declarations({ keys, calls, makers, own }) {
  const parts = [
    `keys: {${[...keys].map((name) => `${name}: $k_${name} = '${name}'`)}} = $none`,
    `calls: {${[...calls].map((name) => `${name}: $calls_${name} = ${name}`)}} = $none`,
    `makers: {${[...makers].map((name) => `${name}: $makers_${name} = ${name}`)}} = $none`,
    ...(own ? ['own: $own = (object) => object'] : []),
  ];
  // Nothing is inherited: every object has a `hasOwnProperty`, and on some pages more.
  return `const $none = {__proto__: null}, {${parts}} = ${RECORD} ?? $none;\n`;
}

const isPrototype = (node) =>
  node.type === 'MemberExpression' &&
  !node.computed &&
  node.property.name === 'prototype' &&
  node.object.type === 'Identifier' &&
  GLOBALS.has(node.object.name);

function walk(node, visit) {
  visit(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const one of value) if (one && typeof one.type === 'string') walk(one, visit);
    } else if (value && typeof value.type === 'string') walk(value, visit);
  }
}

/** The names that a node itself brings into being. */
function declared(node) {
  switch (node.type) {
    case 'VariableDeclarator':
      return namesIn(node.id);
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return [...(node.id ? [node.id.name] : []), ...node.params.flatMap(namesIn)];
    case 'ClassDeclaration':
    case 'ClassExpression':
      return node.id ? [node.id.name] : [];
    case 'CatchClause':
      return node.param ? namesIn(node.param) : [];
    default:
      return [];
  }
}

function namesIn(pattern) {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) => namesIn(property.value ?? property.argument));
    case 'ArrayPattern':
      return pattern.elements.flatMap(namesIn);
    case 'AssignmentPattern':
      return namesIn(pattern.left);
    case 'RestElement':
      return namesIn(pattern.argument);
    default:
      return [];
  }
}
