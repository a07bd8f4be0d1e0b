/** What `wait` gives, or undefined when that takes longer than `ms` milliseconds: a browser may never answer. */
export function within<T>(ms: number, wait: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => resolve(undefined), ms);
    wait.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
