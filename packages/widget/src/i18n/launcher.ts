/** The few words that are needed before a panel is opened: they load with the launcher. */
export const launcherText = {
  open: 'Open private chat',
  close: 'Close private chat',
  unread: (n: number) => (n === 1 ? '1 unread message' : `${n} unread messages`),
};
