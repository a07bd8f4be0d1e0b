/** The few words that are needed before a panel is opened: they load with the launcher. */
export const launcherText = {
  open: 'Open private chat',
  close: 'Close private chat',
  missing: 'A part of the chat did not load. Check the connection, then try again.',
  updated: 'The chat was updated. Reload this page to use it.',
  again: 'Try again',
  reload: 'Reload page',
  dismiss: 'Dismiss',
  unread: (n: number) => (n === 1 ? '1 unread message' : `${n} unread messages`),
};
