/** Whether the page put something else in the place of a built-in, or beside them. It stands before everything else. */
// biome-ignore lint/correctness/noUnusedVariables: what the build puts behind it calls it
const isReplaced = () => {
  try {
    const isNative = /^(class|function) [^(]+\(.*\)\s*\{\s*\[native code\]\s*\}$/;
    const languages = [
      Array,
      ArrayBuffer,
      BigInt,
      Boolean,
      DataView,
      Date,
      Error,
      Function,
      Map,
      Number,
      Object,
      Promise,
      RegExp,
      Set,
      String,
      Symbol,
    ];
    const lists = [Uint8Array, Object.getPrototypeOf(Uint8Array), WeakMap, WeakSet, JSON, Reflect];
    const tree = [EventTarget, Node, Element, HTMLElement, Document, DocumentFragment, DOMTokenList];
    for (const owner of [...languages, ...lists, ...tree]) {
      for (const holder of [{ owner }, owner, owner.prototype ?? {}]) {
        for (const key of Reflect.ownKeys(holder)) {
          const { value } = Object.getOwnPropertyDescriptor(holder, key);
          if (typeof value === 'function' && value !== Function.prototype && !isNative.test(`${value}`)) return true;
        }
      }
    }
    return false;
  } catch {
    // By what this itself needs.
    return true;
  }
};
