/** The words of files and voice messages, which load with the first of them. */
export const enMedia = {
  cancelSend: (name: string) => `Stop sending ${name}`,
  cancelFetch: (name: string) => `Stop fetching ${name}`,
  download: (name: string) => `Download ${name}`,
  retryFetch: (name: string) => `Try to fetch ${name} again`,
  sentOf: (done: string, total: string) => `${done} of ${total}`,
  cancelled: 'Cancelled',
  empty: 'This file is empty',
  notShown: 'Cannot be shown here',
};

export type MediaDictionary = typeof enMedia;
