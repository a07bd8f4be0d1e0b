/**
 * Loads the parts of the widget where there is no bundler. The build puts this function at the top of the entry, the one module there is.
 *
 * A part is a classic script that leaves its module in `deposited`, in the form of `System.register` (dependencies, and a function that
 * declares it; https://github.com/systemjs/systemjs/blob/main/docs/system-register.md). So:
 *
 * - Addresses are resolved here, against the entry's own: what `import()` resolves against inside a script depends on how it was added.
 * - A part that did not arrive can be asked for again. Browsers remember that a module failed, also one that another one imports.
 * - Parts get the entry's exports from here. An import by its name would run it twice where the page names it with a query or by a redirect.
 * - Chromium keeps the compiled code of scripts for returning visitors, and compiles modules again (Chromium 156, measured).
 *
 * Whoever asks for a part that does not come gets a TypeError. It is `outdated` where the files are there and of another build: then only the page,
 * loaded again, brings one that fits.
 *
 * @param {string} entry the entry's own address
 * @param {string} name what the parts call the entry
 * @param {string} build which build this is
 * @param {string} current the file that says which build is there now
 */
export function partLoader(entry, name, build, current) {
  const SHARED = Symbol.for('qsec2 parts');
  /** Shared by all entries on the page: names hold a hash of the content. */
  globalThis[SHARED] ??= new Map();
  const deposited = globalThis[SHARED];
  const present = new Map();
  const modules = new Map();
  let failures = 0;
  let policy;

  const urlOf = (part) => new URL(part, entry).href;

  /** A page may admit scripts by their nonce alone; whatever ran had a right one. */
  const nonce = () => {
    const scripts = [...document.querySelectorAll('script')].filter((script) => script.nonce);
    return (scripts.find(({ src }) => src === entry) ?? scripts[0])?.nonce ?? '';
  };

  async function script(url) {
    policy ??= globalThis.trustedTypes?.createPolicy('qsec2', { createScriptURL: urlOf }) ?? { createScriptURL: urlOf };
    const element = document.createElement('script');
    // Otherwise the page's pages under `require-corp` refuse it, and what fails in it is told to nobody.
    element.crossOrigin = 'anonymous';
    element.nonce = nonce();
    element.src = policy.createScriptURL(url);
    await new Promise((done) => {
      element.onload = element.onerror = done;
      document.head.append(element);
    });
    element.remove();
  }

  /** One part's file. A page's policy may allow modules and no added scripts: the same file does the same as a module. */
  async function arrive(part, url = urlOf(part)) {
    try {
      await script(url);
    } catch {
      // Refused by the page's policy.
    }
    // Another address each time: a module that failed has failed for good.
    if (!deposited.has(part)) await import(failures > 0 ? `${url}?again=${failures}` : url);
  }

  /** Which build the files are of now, as they say; undefined where nobody answers. */
  async function buildNow() {
    deposited.delete(current);
    // Past every cache.
    await arrive(current, `${urlOf(current)}?at=${Date.now()}`).catch(() => {});
    return deposited.get(current);
  }

  async function needFile(part) {
    let cause;
    await arrive(part).catch((error) => {
      cause = error;
    });
    if (deposited.has(part)) return;
    failures++;
    const now = await buildNow();
    const outdated = now !== undefined && now !== build;
    throw Object.assign(new TypeError(`${urlOf(part)} was not loaded`, { cause }), { outdated });
  }

  /** Until a part and everything it needs is there, not yet run. */
  function bring(part) {
    let coming = present.get(part);
    if (!coming) {
      coming = (async () => {
        if (!deposited.has(part)) await needFile(part);
        await Promise.all(deposited.get(part)[0].map(bring));
      })();
      present.set(part, coming);
      coming.catch(() => present.delete(part));
    }
    return coming;
  }

  /** Runs a part after those it depends on, each once. They form no cycle: the build sees to that. */
  function run(part, registered) {
    const known = modules.get(part);
    if (known) return known.exports;
    const [needs, declare] = registered ?? deposited.get(part);
    const module = { exports: {}, users: [] };
    const set = (given, value) => {
      Object.assign(module.exports, typeof given === 'object' ? given : { [given]: value });
      for (const use of module.users) use(module.exports);
      return value;
    };
    const { setters, execute } = declare(set, { import: load });
    needs.forEach((need, i) => {
      setters[i]?.(run(need));
      if (setters[i]) modules.get(need).users.push(setters[i]);
    });
    execute();
    modules.set(part, module);
    return module.exports;
  }

  async function load(part) {
    await bring(part);
    return run(part);
  }

  present.set(name, Promise.resolve());
  return (needs, declare) => run(name, [needs, declare]);
}
