/**
 * Lets everything else that waits in the event loop run first. A message to oneself: a timer waits four milliseconds in browsers once it is
 * nested, and much longer in a tab in the background.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
